import type { Clock } from '../core/clock.ts';
import type { SecretDigest, UserId } from '../core/ids.ts';
import type { RandomBytes } from '../core/random.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import { digestSecret, mintSecret } from './random-secret.ts';
import type { UserStore } from './user-store.ts';
import type { UserActor } from './users.ts';

/** How long a link can be used. */
export const linkMs: number = 24 * 3_600_000;

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
  /** Adds a link with its audit event; forgets those that have expired, and earlier ones of the same user. */
  insert(link: LinkRecord, event: AuditEvent): Promise<void>;
  /** Reads a link that is neither used nor expired at `now`; it can still be used. */
  find(digest: SecretDigest, now: number): Promise<LinkRecord | null>;
  /** Uses it up: of several callers exactly one gets the link, all others null. */
  use(digest: SecretDigest, now: number): Promise<LinkRecord | null>;
}

interface LinkIssuing {
  readonly links: Pick<LinkStore, 'insert'>;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

/** Makes a link that is good for a day, and resolves to its secret, which nothing keeps. */
export async function issueLink(
  deps: LinkIssuing,
  actor: UserActor,
  purpose: LinkPurpose,
  userId: UserId | null,
): Promise<string> {
  const secret = mintSecret(deps.randomBytes);
  const at = deps.clock.now();
  const expiresAt = at + linkMs;
  const details = actor.address === null ? { expiresAt } : { address: actor.address, expiresAt };
  await deps.links.insert(
    { digest: digestSecret(secret), purpose, userId, expiresAt },
    { at, action: `link.${purpose}`, actor: actor.name, userId, tokenId: null, details },
  );
  return secret;
}

/** The same for whoever becomes the first admin; null where there is an admin who is let in. */
export async function issueFirstAdminLink(
  deps: LinkIssuing & { readonly store: Pick<UserStore, 'hasAny'> },
  actor: UserActor,
): Promise<string | null> {
  return (await deps.store.hasAny('admin')) ? null : issueLink(deps, actor, 'first-admin', null);
}
