import type { SessionId, UserId } from '../core/ids.ts';
import type { SessionRecord } from '../identity/session-store.ts';
import type { Caller } from './caller.ts';
import type { Refused } from './refused.ts';

/** A browser session as it is shown: neither digest nor what the provider gave. */
export interface ShownSession extends Omit<SessionRecord, 'secretDigest' | 'draft' | 'signOut'> {
  /** The one that asks. */
  readonly isCurrent: boolean;
}

/** What can be done to browser sessions: each person to its own; those who manage users to anybody's. Needs no confirmation. */
export interface SessionManagement {
  /** Most recently seen first. */
  list(caller: Caller, userId: UserId): Promise<readonly ShownSession[] | Refused>;
  /** Over when it resolves. Foreign ids are 'not_found'. */
  end(caller: Caller, userId: UserId, id: SessionId): Promise<ShownSession | Refused>;
  /** "Sign out everywhere": all but the one that asks, or that one too. Resolves to how many. */
  endAll(
    caller: Caller,
    userId: UserId,
    includingCurrent: boolean,
  ): Promise<{ readonly ended: number } | Refused>;
}
