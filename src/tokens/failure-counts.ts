import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';
import type { FailureTotal } from './shared-failures.ts';

/** Failed distinct secrets by name, in this process's memory; each name's count starts anew after a while. */
export interface FailureCounts {
  /** How many more failures the name may have; 0 once the limit is reached. */
  room(name: string): number;
  /** Milliseconds until a name that has reached the limit starts anew; 0 for any other. */
  fullForMs(name: string): number;
  /** Counts a wrong secret by its mark; false where that one is counted already, or the limit is reached. */
  add(name: string, mark: number): boolean;
  /** Takes over what all processes together have counted, where that is more. */
  raise(name: string, total: FailureTotal): void;
}

interface FailureCountsDeps {
  readonly clock: Clock;
  readonly limit: number;
  readonly windowMs: number;
  /** Names remembered; beyond it the one that was not asked about for longest is forgotten. */
  readonly namesMax: number;
}

interface Count {
  failures: number;
  /** Monotonic. */
  endsAt: number;
  /** What was counted here, so that a client repeating itself counts once; never more than the limit. */
  readonly marks: number[];
}

/** See `FailureCounts`. Bounded: `namesMax` names with `limit` marks each. */
export function createFailureCounts(deps: FailureCountsDeps): FailureCounts {
  const { clock, limit, windowMs } = deps;
  const counts = new LRUCache<string, Count>({ max: deps.namesMax });

  function current(name: string): Count | null {
    const count = counts.get(name);
    return count === undefined || count.endsAt <= clock.monotonic() ? null : count;
  }

  function begin(name: string): Count {
    const count: Count = { failures: 0, endsAt: clock.monotonic() + windowMs, marks: [] };
    counts.set(name, count);
    return count;
  }

  const room = (count: Count | null): number => Math.max(0, limit - (count?.failures ?? 0));

  return {
    room: (name) => room(current(name)),
    fullForMs(name) {
      const count = current(name);
      return count === null || room(count) > 0 ? 0 : count.endsAt - clock.monotonic();
    },
    add(name, mark) {
      const count = current(name) ?? begin(name);
      if (room(count) === 0 || count.marks.includes(mark)) return false;
      count.marks.push(mark);
      count.failures++;
      return true;
    },
    raise(name, total) {
      const count = current(name) ?? begin(name);
      if (total.count <= count.failures) return;
      count.failures = total.count;
      count.endsAt = clock.monotonic() + Math.min(total.endsInMs, windowMs);
    },
  };
}
