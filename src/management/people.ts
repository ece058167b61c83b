import type { UserId } from '../core/ids.ts';
import type { Page } from '../core/page.ts';
import type { Language, Role, UserQuery, UserRecord } from '../identity/user-store.ts';
import type { Caller } from './caller.ts';
import type { Refused } from './refused.ts';

/** A user as it is shown: neither hash nor grant. */
export interface ShownUser extends Omit<UserRecord, 'passwordHash' | 'sourceGrant' | 'nameKey'> {
  readonly hasPassword: boolean;
}

/** What an admin chooses about a new local user. */
export interface NewUser {
  readonly name: string;
  readonly displayName?: string | null;
  readonly email?: string | null;
  readonly role?: Role;
  /** Null: a one-time link by which the person chooses a password is returned instead. */
  readonly password: string | null;
}

/** What an admin changes about a user; display name and mail only of local users. */
export interface UserChanges {
  readonly displayName?: string | null;
  readonly email?: string | null;
  readonly role?: Role;
  readonly disabled?: boolean;
  /** Null: the policy decides. */
  readonly mayHaveTokens?: boolean | null;
}

/** A user just made; `passwordLink` is the secret part of a one-time link, or null where a password was given. */
export interface MadeUser {
  readonly user: ShownUser;
  readonly passwordLink: string | null;
}

/**
 * What can be done to users: by those who manage users, and by each person to itself (language, own password).
 * Every change needs a confirmed caller. The last admin can neither be disabled, removed nor made a user.
 */
export interface PeopleManagement {
  list(caller: Caller, query: UserQuery): Promise<Page<ShownUser> | Refused>;
  get(caller: Caller, id: UserId): Promise<ShownUser | Refused>;
  create(caller: Caller, user: NewUser): Promise<MadeUser | Refused>;
  /** Ends the user's sessions where it shuts out. `ifVersion` as with tokens. */
  change(caller: Caller, id: UserId, changes: UserChanges, ifVersion?: number): Promise<ShownUser | Refused>;
  /** A one-time link by which a local user chooses a password; valid for a day. */
  passwordLink(caller: Caller, id: UserId): Promise<{ readonly secret: string } | Refused>;
  /** Removes the user, ends its sessions and revokes its tokens. */
  remove(caller: Caller, id: UserId): Promise<ShownUser | Refused>;
  /** The caller's own password: needs the current one; ends all other sessions. Only local users. */
  changeOwnPassword(caller: Caller, current: string, next: string): Promise<ShownUser | Refused>;
  /** Needs no confirmation. */
  setOwnLanguage(caller: Caller, language: Language): Promise<ShownUser | Refused>;
}
