import type { SecretDigest, UserId } from '../core/ids.ts';

/** What a link lets its holder do, once: become the first admin, or set the password of one user. */
export type LinkPurpose = 'first-admin' | 'set-password';

/** A link as the store keeps it; the secret is in the link alone. */
export interface LinkRecord {
  readonly digest: SecretDigest;
  readonly purpose: LinkPurpose;
  /** Whose password it sets; null for 'first-admin'. */
  readonly userId: UserId | null;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** The truth about one-time links. Throws `Fault('store_unavailable')` where the store cannot be asked. */
export interface LinkStore {
  /** Adds a link, and forgets those that have expired. */
  insert(link: LinkRecord): Promise<void>;
  /** Reads a link that is neither used nor expired at `now`; it can still be used. */
  find(digest: SecretDigest, now: number): Promise<LinkRecord | null>;
  /** Uses it up: of several callers exactly one gets the link, all others null. */
  use(digest: SecretDigest, now: number): Promise<LinkRecord | null>;
}
