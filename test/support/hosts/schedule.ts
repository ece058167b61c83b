/** Which faults come in which order: the same for the same seed. */
import type { Cut } from './network.ts';
import { seeded } from './seeded.ts';

/** One thing to break. */
export type Fault =
  | { readonly what: 'cut'; readonly from: string; readonly to: readonly string[]; readonly how: Cut }
  /** `process` may be `master`: whichever Redis is that by then. */
  | { readonly what: 'kill' | 'restart' | 'pause'; readonly process: string }
  | { readonly what: 'set clock'; readonly process: string; readonly offMs: number };

/** A fault in its place. */
export interface Planned {
  readonly fault: Fault;
  /** How long it lasts, milliseconds. */
  readonly holdMs: number;
}

/** The hosts and processes that there are. */
export interface Parts {
  readonly gateways: readonly string[];
  readonly store: string;
  readonly redis: readonly string[];
  readonly sentinels: readonly string[];
  /** Processes whose clocks can be set. */
  readonly clocks: readonly string[];
}

const hourMs = 3_600_000;
/** Longer than what is promised, so that a change made at the beginning of a fault is looked at within it. */
const longMs = { least: 6_500, more: 2_500 };
const shortMs = { least: 500, more: 2_000 };

/** Every fault that there is, once each. */
export function everyFault(parts: Parts): readonly Fault[] {
  return [...linkFaults(parts), ...hostFaults(parts), ...processFaults(parts), ...clockFaults(parts)];
}

function linkFaults({ gateways, store, redis }: Parts): readonly Fault[] {
  const cut = (from: string, to: string, ...ways: readonly Cut[]): readonly Fault[] =>
    ways.map((how) => ({ what: 'cut', from, to: [to], how }));
  return [
    ...gateways.flatMap((from) => cut(from, store, 'both', 'out', 'in', 'lossy')),
    ...gateways.flatMap((from, at) =>
      redis.flatMap((to, other) =>
        cut(from, to, 'both', (['out', 'in', 'lossy'] as const)[(at + other) % 3] ?? 'out'),
      ),
    ),
    ...redis.flatMap((from, at) =>
      redis.slice(at + 1).flatMap((to) => cut(from, to, 'both', at === 0 ? 'out' : 'in')),
    ),
  ];
}

/** One host cut off from all the others but the clients. */
function hostFaults({ gateways, store, redis }: Parts): readonly Fault[] {
  const servers = [store, ...redis];
  return [...gateways, ...servers].map((from) => ({
    what: 'cut',
    from,
    to: [...gateways, ...servers].filter((host) => host !== from),
    how: 'both',
  }));
}

function processFaults({ gateways, store, redis, sentinels }: Parts): readonly Fault[] {
  const all = [...gateways, store, ...redis, 'master', ...sentinels];
  return (['kill', 'restart', 'pause'] as const).flatMap((what) => all.map((process) => ({ what, process })));
}

function clockFaults({ clocks }: Parts): readonly Fault[] {
  return clocks.flatMap((process) =>
    [hourMs, -hourMs].map((offMs) => ({ what: 'set clock' as const, process, offMs })),
  );
}

/** Every fault in an order of the seed, and again in another order, without an end. */
export function* schedule(seed: number, parts: Parts): Generator<Planned, never> {
  const random = seeded(seed, 'faults');
  for (;;) {
    for (const fault of random.shuffle(everyFault(parts))) {
      const { least, more } = fault.what === 'pause' && random.chance(1 / 3) ? shortMs : longMs;
      yield { fault, holdMs: Math.round(least + random.next() * more) };
    }
  }
}

/** A fault in words, such as `pause` of `redis2`. */
export function nameFault(fault: Fault): { readonly what: string; readonly target: string } {
  switch (fault.what) {
    case 'cut':
      return fault.to.length > 1
        ? { what: 'cut a host off', target: fault.from }
        : { what: `cut a link (${fault.how})`, target: `${fault.from} to ${fault.to[0]}` };
    case 'set clock':
      return { what: `set a clock ${fault.offMs > 0 ? 'ahead' : 'back'}`, target: fault.process };
    default:
      return { what: fault.what, target: fault.process };
  }
}
