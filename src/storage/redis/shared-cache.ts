import type { SharedCache } from '../../tokens/shared-cache.ts';
import type { HealthGate } from './health-gate.ts';

/** Stands before every key, so that a Redis shared with other programs can tell ours. */
const prefix = 'latchkey:';

/**
 * A SharedCache in Redis. While the gate is closed every call returns at once: a miss, a write not
 * made, a deletion not confirmed. A write that timed out may still be carried out by a Redis that was only
 * paused, even after a later deletion: readers must judge what they find (the version in the entry does).
 */
export function redisSharedCache(gate: HealthGate): SharedCache {
  return {
    get: (key) => gate.attempt<string | null>((client) => client.get(prefix + key), null),

    async set(key, value, ttlMs) {
      const wholeMs = Math.floor(ttlMs);
      if (wholeMs >= 1) {
        await gate.attempt<unknown>((client) => client.set(prefix + key, value, 'PX', wholeMs), null);
      }
    },

    async delete(keys) {
      // One command per key: in a Cluster they live on different nodes.
      const removals = keys.map((key) =>
        gate.attempt(async (client) => (await client.del(prefix + key)) >= 0, false),
      );
      return (await Promise.all(removals)).every(Boolean);
    },
  };
}
