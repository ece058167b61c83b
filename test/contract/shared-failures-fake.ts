import type { SharedFailures } from '../../src/tokens/shared-failures.ts';

/** SharedFailures in memory for tests, with a clock that the test moves. */
export function fakeSharedFailures(now: () => number, windowMs: number): SharedFailures {
  const counts = new Map<string, { readonly guesses: Set<string>; readonly until: number }>();
  return {
    add(name, guess) {
      const known = counts.get(name);
      const count =
        known !== undefined && known.until > now()
          ? known
          : { guesses: new Set<string>(), until: now() + windowMs };
      counts.set(name, count);
      count.guesses.add(guess);
      return Promise.resolve({ count: count.guesses.size, endsInMs: count.until - now() });
    },
  };
}
