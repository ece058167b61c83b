import type { SharedCache } from '../../src/tokens/shared-cache.ts';

/** An in-memory SharedCache for tests, with a clock that the test moves. */
export function fakeSharedCache(now: () => number): SharedCache {
  const entries = new Map<string, { readonly value: string; readonly until: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      return Promise.resolve(entry !== undefined && entry.until > now() ? entry.value : null);
    },
    set(key, value, ttlMs) {
      if (ttlMs >= 1) entries.set(key, { value, until: now() + ttlMs });
      return Promise.resolve();
    },
    delete(keys) {
      for (const key of keys) entries.delete(key);
      return Promise.resolve(true);
    },
  };
}
