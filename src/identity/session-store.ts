import type { SecretDigest, SessionId, UserId } from '../core/ids.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import type { UserRecord } from './user-store.ts';

/** A browser that is signed in. Times are epoch milliseconds; the secret itself is in its cookie alone. */
export interface SessionRecord {
  readonly id: SessionId;
  readonly userId: UserId;
  readonly secretDigest: SecretDigest;
  /** The source that vouched for the user: `localSource` or a configured one. */
  readonly source: string;
  readonly createdAt: number;
  /** Written at most once a minute. */
  readonly seenAt: number;
  /** Absolute end. */
  readonly endsAt: number;
  /** When the person last proved to be there, by password or at the provider; null never since sign-in was by link. */
  readonly confirmedAt: number | null;
  readonly address: string;
  /** The browser's User-Agent, cut to 200 characters. */
  readonly client: string | null;
  /** What the person was about to do when sent to the provider to confirm: sealed in the store, open in a `Person`. */
  readonly draft: string | null;
  /** What the provider wants to hear at sign-out (an ID token), sealed; null where nothing. */
  readonly signOut: string | null;
}

/** A session with its user, as one read finds them. */
export interface OwnedSession {
  readonly session: SessionRecord;
  readonly user: UserRecord;
}

/**
 * The truth about browser sessions. Throws `Fault('store_unavailable')` where the store cannot be asked.
 * Ending a session deletes it: nothing is cached, so it is over when the promise resolves.
 */
export interface SessionStore {
  /** Null where there is none, or its user is removed. Shut-out users and ends are the caller's to judge. */
  findByDigest(digest: SecretDigest): Promise<OwnedSession | null>;
  /** Those that have not ended at `now` nor been idle since `seenSince`, most recently seen first. */
  listOf(userId: UserId, now: number, seenSince: number): Promise<readonly SessionRecord[]>;
  /**
   * Adds a session and notes at its user when that was (`signedInAt`, without a new version). `replaces` is ended in the
   * same transaction (rotation at sign-in), and so are those beyond 100 of one user, seen longest ago first. Resolves
   * false, changing nothing, where the user is shut out or removed by now, or no longer has the password that was judged.
   */
  insert(
    session: SessionRecord,
    replaces: SessionId | null,
    event: AuditEvent,
    judged?: Pick<UserRecord, 'passwordHash'>,
  ): Promise<boolean>;
  /** Changes a session without an audit event. False where there is none. */
  touch(
    id: SessionId,
    patch: Partial<Pick<SessionRecord, 'seenAt' | 'confirmedAt' | 'address' | 'draft'>>,
  ): Promise<boolean>;
  /** Ends one session of this user. Resolves to what it was, or null where this user has none of this id. */
  end(id: SessionId, userId: UserId, event: AuditEvent): Promise<SessionRecord | null>;
  /** Ends all sessions of a user but `except`. Resolves to how many; writes the event only where there were any. */
  endAll(userId: UserId, except: SessionId | null, event: AuditEvent): Promise<number>;
  /** Forgets at most `limit` that ended before `now` or were idle since before `seenSince`. */
  prune(now: number, seenSince: number, limit: number): Promise<number>;
}
