import { startPostgres } from '../postgres.ts';
import { machineMs } from '../verifier-process.ts';
import type { Scratch } from '../scratch.ts';
import type { HistoryEvent, SeenEvent, TokenState } from './history.ts';
import { type HostProcess, hostProcess } from './host-process.ts';
import type { Network } from './network.ts';
import { offClock } from './off-clock.ts';

/** The PostgreSQL that all gateways share. */
export interface SharedStore {
  /** What stands under `store` in a gateway's configuration. */
  readonly config: string;
  readonly process: HostProcess;
  /** What it holds of every token of a history, read past the product. */
  look(history: readonly HistoryEvent[]): Promise<readonly SeenEvent[]>;
  stop(): Promise<void>;
}

/** The host that it runs on. */
export const storeHostName = 'pg';

/** Starts it, with an empty database. */
export async function startSharedStore(network: Network, scratch: Scratch): Promise<SharedStore> {
  const clock = offClock(scratch, 'pg');
  await clock.set(0);
  const server = await startPostgres({
    listen: network.address(storeHostName),
    port: 5432,
    prefix: network.on(storeHostName, 'env'),
    innerPrefix: clock.prefix,
  });
  const database = await server.createDatabase();
  return {
    config: server.url(database),
    process: hostProcess({
      name: 'pg',
      pid: () => server.pid(),
      async launch() {
        await clock.set(0);
        await server.start();
      },
      answers: async () => (await server.sql(database, 'SELECT 1')) === '1',
      setClock: (offMs) => clock.set(offMs),
      // Does not wait for its clients to leave.
      endSignal: 'SIGINT',
      output: () => '',
    }),
    async look(history) {
      const startedAt = machineMs();
      const text = await server.sql(
        database,
        'SELECT id, enabled, revoked_at IS NOT NULL, scopes FROM tokens',
      );
      const endedAt = machineMs();
      const states = new Map(text.split('\n').map((line) => stateOf(line)));
      const tokens = new Set(history.flatMap((event) => (event.kind === 'change' ? [event.token] : [])));
      return [...tokens].map((token) => {
        const state = states.get(token) ?? null;
        return { kind: 'seen', token, where: 'store', startedAt, endedAt, state };
      });
    },
    stop: () => server.stop(),
  };
}

function stateOf(line: string): readonly [string, Partial<TokenState>] {
  const [id = '', enabled, revoked, scopes] = line.split('|');
  const isTrue = (text: string | undefined): boolean => text === 't' || text === '1';
  return [
    id,
    { enabled: isTrue(enabled), revoked: isTrue(revoked), writes: scopes?.includes(':rw') === true },
  ];
}
