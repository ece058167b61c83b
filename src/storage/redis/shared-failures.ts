import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { SharedFailures } from '../../tokens/shared-failures.ts';
import type { CommandClient } from './connection.ts';
import type { HealthGate } from './health-gate.ts';

/** Stands before every key, so that a Redis shared with other programs can tell ours. */
const keyPrefix = 'latchkey:failures';

/**
 * Failures counted in Redis for `windowMs` (whole seconds, at least one), each key by itself, as a Cluster wants it.
 * While the gate is closed nothing is sent. The limiter is used for its counters alone: it has no limit of its
 * own to enforce, and no insurance, which the caller's own bounded counts already are.
 */
export function redisSharedFailures(
  gate: HealthGate,
  client: CommandClient,
  windowMs: number,
): SharedFailures {
  const counters = new RateLimiterRedis({
    storeClient: client,
    keyPrefix,
    points: Number.MAX_SAFE_INTEGER,
    duration: Math.max(1, Math.round(windowMs / 1_000)),
  });
  return {
    add: (name, guess) =>
      gate.attempt(async () => {
        const seen = await counters.penalty(`${name}:${guess}`, 1);
        // Nought points read the count, in the one round trip that also begins it.
        const total = await counters.penalty(name, seen.consumedPoints === 1 ? 1 : 0);
        return { count: total.consumedPoints, endsInMs: Math.max(0, total.msBeforeNext) };
      }, null),
  };
}
