/** How long an answer is kept for a request that comes again. */
export const repeatedKeptMs: number = 24 * 3_600_000;
/** What began so long ago and was never finished was cut short: the next one is 'first'. */
export const cutShortMs: number = 5 * 60_000;

/** What is known of a request that came with a key of its own. */
export type RepeatedRequest =
  /** Nothing: it is now noted as running, and exactly one of several callers is told so. */
  | { readonly kind: 'first' }
  | { readonly kind: 'running' }
  /** The same key came with another request. */
  | { readonly kind: 'other' }
  | { readonly kind: 'answered'; readonly answer: string };

/**
 * Requests that may come again, and what they were answered: the store sees digests and sealed text alone. What began
 * longer than `repeatedKeptMs` ago is forgotten; what began longer than `cutShortMs` ago and was never finished is 'first'
 * again. Throws `Fault('store_unavailable')` where the store cannot be asked.
 */
export interface RepeatedRequests {
  begin(
    /** As in audit events, so that nobody meets the keys of others. */
    caller: string,
    keyDigest: string,
    requestDigest: string,
    now: number,
  ): Promise<RepeatedRequest>;
  /** Keeps the answer of what was begun. */
  finish(caller: string, keyDigest: string, answer: string): Promise<void>;
  /** It came to nothing and may be tried again. An answer that is kept stays. */
  forget(caller: string, keyDigest: string): Promise<void>;
  /** Removes at most `limit` that began before this moment, oldest first. Resolves to how many. */
  prune(before: number, limit: number): Promise<number>;
}
