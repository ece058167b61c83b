import type { SessionId, UserId } from '../core/ids.ts';
import type { Page } from '../core/page.ts';
import type { AuditEvent } from '../telemetry/audit.ts';

/** What a user may do beside having tokens: an admin manages everybody's. */
export type Role = 'user' | 'admin';

/** The languages that pages and mails are written in. */
export type Language = 'en' | 'de';

/** The source of users that are kept here, with a password of their own or none. */
export const localSource = 'local';

/** A person or machine that tokens speak for. */
export interface UserRecord {
  readonly id: UserId;
  /** The login name in its one spelling. */
  readonly name: string;
  /** The name folded for look-ups: two users never share it. */
  readonly nameKey: string;
  /** For people to read; null where only the login name is known. */
  readonly displayName: string | null;
  /** Where expiry warnings go; null where unknown. */
  readonly email: string | null;
  /** Chosen at sign-in; null where never. */
  readonly language: Language | null;
  readonly role: Role;
  /** `localSource`, or the name of the configured source that vouches for this user. */
  readonly source: string;
  /** What the source calls this user for ever; null for local users. */
  readonly subject: string | null;
  /** argon2id in PHC form, or null where the user has no password here. */
  readonly passwordHash: string | null;
  /** An admin has shut this user out. */
  readonly disabled: boolean;
  /** The source lets this user in no longer; ends with the next sign-in that it vouches for. */
  readonly lapsed: boolean;
  /** What an admin decided for this user beside the policy; null where the policy decides. */
  readonly mayHaveTokens: boolean | null;
  readonly createdAt: number;
  readonly signedInAt: number | null;
  /** What the source gave to ask about this user later (a refresh token), sealed; null where nothing. */
  readonly sourceGrant: string | null;
  /** When the source was last asked whether it still knows this user. */
  readonly sourceCheckedAt: number | null;
  /** Grows with every change. Starts at 1. */
  readonly version: number;
}

/** Whether nothing of this user counts any more: neither tokens, nor password, nor session. */
export function isShutOut(user: Pick<UserRecord, 'disabled' | 'lapsed'>): boolean {
  return user.disabled || user.lapsed;
}

/** Whether this user can sign in and manage others. */
export function canAdminister(user: UserRecord): boolean {
  const canSignIn = user.source !== localSource || user.passwordHash !== null;
  return user.role === 'admin' && canSignIn && !isShutOut(user);
}

/** The fields of a user that change. */
export type UserPatch = Partial<
  Pick<
    UserRecord,
    'displayName' | 'email' | 'language' | 'role' | 'passwordHash' | 'disabled' | 'lapsed' | 'mayHaveTokens'
  >
>;

/** Which users to show, in the order of their names. */
export interface UserQuery {
  /** Part of login name, display name or mail address, in any case. */
  readonly text?: string;
  readonly source?: string;
  readonly role?: Role;
  /** True: only those shut out, by an admin or their source. False: only others. */
  readonly shutOut?: boolean;
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/**
 * Asked about the user as it is, inside the transaction of a change: false leaves everything as it is. May be asked
 * again where the transaction had to wait, and must not have effects.
 */
export type UserGuard = (
  user: UserRecord,
  /** Whether another user than this one can sign in and manage others, as `canAdminister` says. */
  hasOtherAdmin: () => boolean,
) => boolean;

/**
 * The truth about users. Every method throws `Fault('store_unavailable')` where the store cannot be
 * asked; a change is durable, journalled and audited in one transaction when the promise resolves.
 */
export interface UserStore {
  /** By folded name. */
  findByName(nameKey: string): Promise<UserRecord | null>;
  /** By what its source calls it. */
  findBySubject(source: string, subject: string): Promise<UserRecord | null>;
  get(id: UserId): Promise<UserRecord | null>;
  list(filter: { readonly limit: number; readonly after?: UserId }): Promise<readonly UserRecord[]>;
  /** Without a total. */
  search(query: UserQuery): Promise<Page<UserRecord>>;
  /** Whether there is any user of this role who is not shut out. */
  hasAny(role?: Role): Promise<boolean>;
  /** Resolves false, changing nothing, where the folded name or the subject is taken. */
  insert(user: UserRecord, event: AuditEvent): Promise<boolean>;
  /**
   * Applies the patch with version + 1. Ends the sessions of who is shut out, and, where the password changes, all but
   * the one that `keeps` names; links by which it could be chosen are then void. Resolves to the new record, or null where
   * there is none or the guard says no.
   */
  change(
    id: UserId,
    patch: UserPatch,
    event: AuditEvent,
    options?: { readonly guard?: UserGuard; readonly keeps?: SessionId },
  ): Promise<UserRecord | null>;
  /** The login names of these users, also of removed ones. */
  namesOf(ids: readonly UserId[]): Promise<ReadonlyMap<UserId, string>>;
  /**
   * Users of a source that have a subject, those asked about longest ago first: at most `limit` of those
   * last asked about before `checkedBefore` (or never). They count as asked about at `at` from then on, so that of
   * several processes one asks; resolves to what they were before.
   */
  claimForCheck(
    source: string,
    checkedBefore: number,
    limit: number,
    at: number,
  ): Promise<readonly UserRecord[]>;
  /** Notes that the source was asked. No version change, no journal entry. `grant` undefined keeps the old one. */
  recordCheck(id: UserId, at: number, grant?: string | null): Promise<void>;
  /**
   * Removes the user, its sessions, and revokes all its tokens. Resolves to the last record, with its last version, or
   * null where there is none or the guard says no.
   */
  remove(id: UserId, event: AuditEvent, guard?: UserGuard): Promise<UserRecord | null>;
}
