/**
 * A cache between processes. It may forget, be slow or be away at any time: every failure is a
 * miss or a lost write, never an exception and never longer than its own command timeout.
 */
export interface SharedCache {
  /** The value, or null where there is none or the cache is away. */
  get(key: string): Promise<string | null>;
  /** Keeps the value for at most `ttlMs`. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** Forgets the keys; resolves false where that could not be confirmed. */
  delete(keys: readonly string[]): Promise<boolean>;
}
