/** What becomes of a token in a run: it is made, used at every gateway without pause, changed, and looked at in the end. */
import { setTimeout as delay } from 'node:timers/promises';
import { machineMs } from '../verifier-process.ts';
import { type Answered, createGatewayClient, type GatewayAddress } from './gateway-client.ts';
import type { ChangeKind, HistoryEvent, UseOutcome } from './history.ts';
import type { HeldToken, Office } from './office.ts';
import type { Seeded } from './seeded.ts';

/** What lives are lived with. */
export interface LifeDeps {
  readonly gateways: readonly GatewayAddress[];
  readonly office: Office;
  readonly note: (event: HistoryEvent) => void;
  /** True once nothing is to be begun any more. */
  readonly over: () => boolean;
  /** Told once a token has been used at every gateway for a while. */
  readonly warmed: () => void;
  /** How often something has been broken so far. */
  readonly broken: () => number;
}

/** Uses tokens at gateways. */
export interface Uses {
  /** One use of the newest value, or, every third time, of an older one; notes what becomes of it. */
  once(random: Seeded, gateway: GatewayAddress, token: HeldToken): Promise<void>;
}

/** Pause between two uses of one token at one gateway, milliseconds. */
const pauseMs = 200;
/** Uses before the first change: every gateway has the token in memory then. */
const warmMs = 1_500;
/** Uses behind a change whose bound is looked at: longer than what is promised. */
const longMs = 7_000;

/** Over connections of their own, one set for each gateway. */
export function createUses({ gateways, note }: Pick<LifeDeps, 'gateways' | 'note'>): Uses {
  const clients = new Map(gateways.map((each) => [each.name, createGatewayClient(each.host, each.port)]));
  return {
    async once(random, gateway, token) {
      const newest = token.secrets.length - 1;
      const generation = newest > 0 && random.chance(1 / 3) ? newest - 1 : newest;
      const way = random.chance(1 / 2) ? 'read' : 'write';
      const secret = token.secrets[generation] ?? '';
      const authorization = `Basic ${Buffer.from(`${token.ownerName}:${secret}`).toString('base64')}`;
      const startedAt = machineMs();
      const answer =
        (await clients.get(gateway.name)?.({
          method: way === 'read' ? 'GET' : 'PUT',
          path: '/files/one',
          headers: { authorization },
        })) ?? null;
      note({
        ...{ kind: 'use', token: token.id, generation, way, gateway: gateway.name },
        ...{ startedAt, endedAt: machineMs(), outcome: outcomeOf(answer) },
      });
    },
  };
}

function outcomeOf(answer: Answered | null): UseOutcome {
  if (answer === null) return 'silent';
  if (answer.status < 300) return 'allowed';
  if (answer.status >= 500) return 'fault';
  return answer.status === 403 ? 'forbidden' : 'refused';
}

/**
 * Lives one life and resolves to its token, null where it could not be made before the end. The seed chooses what is
 * changed, in which order, and how long each change is looked at.
 */
export async function live(random: Seeded, deps: LifeDeps, uses: Uses): Promise<HeldToken | null> {
  const token = await deps.office.mint(random);
  if (token === null) return null;
  const life = { isOver: false };
  const users = deps.gateways.map(async (gateway) => {
    while (!life.isOver) {
      await uses.once(random, gateway, token);
      await delay(pauseMs * (0.5 + random.next()));
    }
  });
  try {
    await pause(warmMs, deps);
    deps.warmed();
    for (const [what, restMs] of script(random)) {
      await untilBroken(restMs, random, deps);
      if (deps.over()) break;
      await deps.office.change(random, token, what);
      if (random.chance(1 / 2)) await deps.office.look(random.pick(deps.gateways), token);
    }
    await pause(longMs, deps);
  } finally {
    life.isOver = true;
    await Promise.all(users);
  }
  return token;
}

/** Changes, and how long each is waited for, milliseconds: up to two that are taken back, and mostly an end. */
function script(random: Seeded): readonly (readonly [Exclude<ChangeKind, 'mint'>, number])[] {
  const restMs = (): number => (random.chance(1 / 2) ? longMs : random.next() * 1_000);
  const steps: (readonly [Exclude<ChangeKind, 'mint'>, number])[] = [];
  for (let count = random.pick([0, 1, 1, 2]); count > 0; count -= 1) {
    const [there, back] = random.pick([
      ['disable', 'enable'],
      ['narrow', 'widen'],
      ['shut owner out', 'let owner in'],
      ['regenerate', null],
    ] as const);
    steps.push([there, restMs()]);
    if (back !== null) steps.push([back, restMs()]);
  }
  const last = random.pick(['revoke', 'revoke', 'revoke', 'disable', 'narrow', 'regenerate'] as const);
  return [...steps, [last, restMs()]];
}

/** Waits, but not beyond the moment at which something is broken, and a little: many changes fall into its beginning. */
async function untilBroken(ms: number, random: Seeded, deps: LifeDeps): Promise<void> {
  const before = deps.broken();
  await pause(ms, { over: () => deps.over() || deps.broken() > before });
  if (deps.broken() > before) await pause(random.next() * 1_500, deps);
}

/** Waits, but not beyond the end of the run. */
async function pause(ms: number, { over }: Pick<LifeDeps, 'over'>): Promise<void> {
  const until = performance.now() + ms;
  while (!over() && performance.now() < until) await delay(Math.min(100, ms));
}
