import { type Denial, denyForNow } from '../core/decision.ts';
import type { Principal } from '../core/principal.ts';

/** How many requests are under way with each token; a main password counts as one token of its user. */
export interface ConcurrentRequests {
  /** Counts one more; false, and nothing counted, where there are as many as may be. */
  enter(principal: Principal): boolean;
  /** One that entered is over, however it ended; to be called exactly once for each. */
  leave(principal: Principal): void;
}

/** Counts in memory, for this process. `max` is asked every time, so that a reload applies at once. */
export function createConcurrentRequests(max: () => number): ConcurrentRequests {
  const counts = new Map<string, number>();
  return {
    enter(principal) {
      const key = principal.tokenId ?? principal.userId;
      const count = counts.get(key) ?? 0;
      if (count >= max()) return false;
      counts.set(key, count + 1);
      return true;
    },
    leave(principal) {
      const key = principal.tokenId ?? principal.userId;
      const count = counts.get(key) ?? 0;
      if (count > 1) counts.set(key, count - 1);
      else counts.delete(key);
    },
  };
}

/** Requests end any moment: a client need not wait long before it asks again. */
const retryRequestMs = 1_000;

/** Said to a request beyond those that its token may have under way. */
export function tooManyRequests(): Denial {
  return denyForNow('too_many_requests', 'limits.requestsPerToken', retryRequestMs);
}
