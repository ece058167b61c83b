import type { UserId } from '../core/ids.ts';
import type { SessionRecord } from '../identity/session-store.ts';
import type { Sessions } from '../identity/sessions.ts';
import type { UserStore } from '../identity/user-store.ts';
import { actorOf, type Caller, isSelf, manages } from './caller.ts';
import { type ManagementRefusal, noSuchSession, noSuchUser, notAllowed } from './refused.ts';
import type { SessionManagement, ShownSession } from './sessions.ts';

interface SessionManagementDeps {
  readonly sessions: Pick<Sessions, 'listOf' | 'end' | 'endAll'>;
  readonly users: Pick<UserStore, 'get'>;
}

/** See `SessionManagement`. */
export function createSessionManagement({ sessions, users }: SessionManagementDeps): SessionManagement {
  /** Why this user's sessions are none of the caller's business, or null. */
  async function refusalOf(caller: Caller, userId: UserId): Promise<ManagementRefusal | null> {
    if (isSelf(caller, userId)) return null;
    if (!manages(caller, 'users')) return caller.kind === 'key' ? notAllowed : noSuchUser;
    return (await users.get(userId)) === null ? noSuchUser : null;
  }

  return {
    async list(caller, userId) {
      const refusal = await refusalOf(caller, userId);
      return refusal ?? (await sessions.listOf(userId)).map((session) => show(caller, session));
    },
    async end(caller, userId, id) {
      const refusal = await refusalOf(caller, userId);
      if (refusal !== null) return refusal;
      const ended = await sessions.end(actorOf(caller), userId, id);
      return ended === null ? noSuchSession : show(caller, ended);
    },
    async endAll(caller, userId, includingCurrent) {
      const refusal = await refusalOf(caller, userId);
      if (refusal !== null) return refusal;
      const keeps = caller.kind === 'person' && !includingCurrent ? caller.session.id : null;
      return { ended: await sessions.endAll(actorOf(caller), userId, keeps) };
    },
  };
}

function show(caller: Caller, session: SessionRecord): ShownSession {
  const { secretDigest: _digest, draft: _draft, signOut: _signOut, ...shown } = session;
  return { ...shown, isCurrent: caller.kind === 'person' && caller.session.id === session.id };
}
