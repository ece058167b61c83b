import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from '../eventually.ts';
import type { ClientsOrder, ClientsReport, ClientsSetup } from './clients-main.ts';
import type { Network } from './network.ts';

/** The clients as a process on the host `clients`. */
export interface ClientsProcess {
  /** Whether a gateway says that it is ready. */
  isReady(gateway: string): Promise<boolean>;
  /** Lets them begin, with an admin key for users and tokens; resolves once every gateway has their tokens in memory. */
  begin(key: string): Promise<void>;
  /** Tells them that something breaks now: what they change anyway they change now. */
  broken(): void;
  /** Lets them end and look at every token once more; resolves once the history is written. */
  end(): Promise<void>;
  /** Rejects where they end before they were told to: that is a fault of the run itself. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

const mainFile = fileURLToPath(new URL('clients-main.ts', import.meta.url));
const endMs = 240_000;

/** Starts them; resolves once their backend listens. */
export async function startClients(
  network: Network,
  setup: Omit<ClientsSetup, 'key'>,
): Promise<ClientsProcess> {
  const [command, ...args] = network.on('clients', process.execPath, mainFile, JSON.stringify(setup));
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exited = once(child, 'exit');
  let isToEnd = false;
  const failed = exited.then(([code, signal]: readonly unknown[]): Promise<never> => {
    if (isToEnd) return new Promise(() => undefined);
    throw new Error(`the clients ended by themselves, ${String(signal ?? code)}:\n${stderr}`);
  });
  failed.catch(() => undefined);
  const send = (order: ClientsOrder): void => void child.send(order);
  const report = <Kind extends ClientsReport['kind']>(
    kind: Kind,
    gateway?: string,
  ): Promise<Extract<ClientsReport, { kind: Kind }>> =>
    new Promise((resolve) => {
      const hear = (message: ClientsReport): void => {
        if (message.kind !== kind || ('gateway' in message && message.gateway !== gateway)) return;
        child.off('message', hear);
        resolve(message as Extract<ClientsReport, { kind: Kind }>);
      };
      child.on('message', hear);
    });
  await within('the clients to start', 30_000, Promise.race([report('listening'), failed]));
  return {
    failed,
    async isReady(gateway) {
      const answer = report('ready', gateway);
      send({ kind: 'ready?', gateway });
      return (await within('an answer about a gateway', 10_000, Promise.race([answer, failed]))).ready;
    },
    async begin(key) {
      const warm = report('warm');
      send({ kind: 'begin', key });
      await within('the first tokens to be in use', 60_000, Promise.race([warm, failed]));
    },
    broken: () => send({ kind: 'broken' }),
    async end() {
      const ended = report('ended');
      send({ kind: 'end' });
      await within('the clients to end', endMs, Promise.race([ended, failed]));
    },
    async stop() {
      isToEnd = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await exited;
    },
  };
}
