import type { Clock } from '../../core/clock.ts';
import type { FailureTotal } from '../../tokens/shared-failures.ts';

/** Names remembered; beyond it the one whose counting began first is forgotten. */
const namesMax = 40_000;
/** Different guesses counted for one name: more than any limit that can be configured. */
const guessesMax = 1_000;

/** Counts failures for all workers, in the supervisor's memory. */
export interface FailureBoard {
  /** See `SharedFailures.add`: the same guess counts once, and counting starts anew after `windowMs`. */
  add(name: string, guess: string, windowMs: number): FailureTotal;
}

/** See `FailureBoard`. Bounded: so many names with so many guesses each. */
export function createFailureBoard(clock: Pick<Clock, 'monotonic'>): FailureBoard {
  const counts = new Map<string, { readonly guesses: Set<string>; readonly endsAt: number }>();
  return {
    add(name, guess, windowMs) {
      const now = clock.monotonic();
      let count = counts.get(name);
      if (count === undefined || count.endsAt <= now) {
        counts.delete(name);
        for (const [oldest] of counts) {
          if (counts.size < namesMax) break;
          counts.delete(oldest);
        }
        count = { guesses: new Set(), endsAt: now + windowMs };
        counts.set(name, count);
      }
      if (count.guesses.size < guessesMax) count.guesses.add(guess);
      return { count: count.guesses.size, endsInMs: count.endsAt - now };
    },
  };
}
