/**
 * The clients of a run, and the backend behind the gateways, as one process on a host of their own: one clock times
 * them all. Writes every operation as a line of JSON. Told by its parent when to stop, and then what to look at.
 */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayAddress } from './gateway-client.ts';
import { createGatewayClient } from './gateway-client.ts';
import type { HistoryEvent } from './history.ts';
import { createUses, live, type LifeDeps } from './life.ts';
import { createOffice, type HeldToken } from './office.ts';
import { seeded } from './seeded.ts';

/** What clients are told at their start. */
export interface ClientsSetup {
  readonly gateways: readonly GatewayAddress[];
  readonly key: string;
  readonly seed: number;
  /** Lives lived at the same time. */
  readonly lives: number;
  readonly historyFile: string;
  readonly backendPort: number;
}

/** `begin` with the key that exists by then; `broken` each time that something is; `end` when all is healed. */
export type ClientsOrder =
  | { readonly kind: 'ready?'; readonly gateway: string }
  | { readonly kind: 'begin'; readonly key: string }
  | { readonly kind: 'broken' }
  | { readonly kind: 'end' };

/** What they answer. */
export type ClientsReport =
  | { readonly kind: 'listening' }
  /** As many tokens as are to be in use at the same time are. */
  | { readonly kind: 'warm' }
  | { readonly kind: 'ready'; readonly gateway: string; readonly ready: boolean }
  | { readonly kind: 'ended'; readonly tokens: readonly string[] };

/** Tokens that nobody changes: each must be good everywhere and always. */
const steadyTokens = 3;
const steadyPauseMs = 400;
/** By then every gateway answers again, where it ever does. */
const giveUpMs = 60_000;

const setup = JSON.parse(process.argv[2] ?? '') as Omit<ClientsSetup, 'key'>;
const history = createWriteStream(setup.historyFile);
const note = (event: HistoryEvent): void => void history.write(`${JSON.stringify(event)}\n`);
const send = (report: ClientsReport): void => void process.send?.(report);
const admins = new Map(
  setup.gateways.map((each) => [each.name, createGatewayClient(each.host, each.adminPort)]),
);

/** Whether nothing is to be begun any more, and when changes that nobody has confirmed are left as they are. */
const run = { isOver: false, brokenTimes: 0, warmTokens: 0, givenUpAt: Number.POSITIVE_INFINITY };
let ended: Promise<readonly HeldToken[]> = Promise.resolve([]);
let deps: LifeDeps | null = null;

async function steady(at: number, lived: LifeDeps): Promise<HeldToken | null> {
  const random = seeded(setup.seed, `steady ${at}`);
  const uses = createUses(lived);
  const token = await lived.office.mint(random);
  if (token === null) return null;
  await Promise.all(
    lived.gateways.map(async (gateway) => {
      while (!run.isOver) {
        await uses.once(random, gateway, token);
        await delay(steadyPauseMs);
      }
    }),
  );
  return token;
}

async function lane(at: number, lived: LifeDeps): Promise<readonly (HeldToken | null)[]> {
  const uses = createUses(lived);
  const tokens: (HeldToken | null)[] = [];
  await delay((at * 1_000) / setup.lives);
  for (let count = 0; !run.isOver; count += 1)
    tokens.push(await live(seeded(setup.seed, `life ${at} ${count}`), lived, uses));
  return tokens;
}

function begin(key: string): void {
  const { gateways } = setup;
  const office = createOffice({ gateways, key, note, over: () => performance.now() > run.givenUpAt });
  const warmed = (): void => {
    run.warmTokens += 1;
    if (run.warmTokens === setup.lives) send({ kind: 'warm' });
  };
  const lived: LifeDeps = {
    ...{ gateways, note, office, warmed },
    over: () => run.isOver,
    broken: () => run.brokenTimes,
  };
  deps = lived;
  const lanes = Array.from({ length: setup.lives }, (_, at) => lane(at, lived));
  const steadies = Array.from({ length: steadyTokens }, (_, at) => steady(at, lived));
  ended = Promise.all([Promise.all(lanes), Promise.all(steadies)]).then(([lives, others]) =>
    [...lives.flat(), ...others].filter((token) => token !== null),
  );
}

/** Every token once more at every gateway: what the API shows of it, and what becomes of each way to use it. */
async function lookAtAll(tokens: readonly HeldToken[], lived: LifeDeps): Promise<void> {
  const random = seeded(setup.seed, 'last look');
  const uses = createUses(lived);
  for (const gateway of lived.gateways) {
    for (const token of tokens) {
      while (!(await lived.office.look(gateway, token))) await delay(500);
      for (let count = 0; count < 4; count += 1) await uses.once(random, gateway, token);
    }
  }
}

async function end(): Promise<void> {
  run.isOver = true;
  run.givenUpAt = performance.now() + giveUpMs;
  const tokens = await ended;
  if (deps !== null) await lookAtAll(tokens, deps);
  history.end();
  await once(history, 'close');
  send({ kind: 'ended', tokens: tokens.map(({ id }) => id) });
}

async function obey(order: ClientsOrder): Promise<void> {
  if (order.kind === 'begin') begin(order.key);
  else if (order.kind === 'broken') run.brokenTimes += 1;
  else if (order.kind === 'end') await end();
  else {
    const answer = await admins.get(order.gateway)?.({ method: 'GET', path: '/readyz', withinMs: 2_000 });
    send({ kind: 'ready', gateway: order.gateway, ready: answer?.status === 200 });
  }
}

const backend = createServer((request, response) => {
  request.resume();
  request.once('end', () => response.writeHead(request.method === 'PUT' ? 201 : 200).end('one'));
});
backend.keepAliveTimeout = 60_000;
backend.listen(setup.backendPort, () => send({ kind: 'listening' }));
process.on('message', (order: ClientsOrder) => void obey(order));
process.on('disconnect', () => process.exit());
