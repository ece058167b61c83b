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
 * longer than 24 hours ago is forgotten; what began longer than 5 minutes ago and was never finished was cut short, and
 * the next one is 'first' again. Throws `Fault('store_unavailable')` where the store cannot be asked.
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
  /** It came to nothing and may be tried again. */
  forget(caller: string, keyDigest: string): Promise<void>;
}
