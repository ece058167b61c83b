import type { Clock } from '../core/clock.ts';
import type { RandomBytes } from '../core/random.ts';
import { issueLink, type LinkStore } from '../identity/one-time-links.ts';
import type { UserRefusal } from '../identity/user-refusal.ts';
import { localSource, type UserRecord, type UserStore } from '../identity/user-store.ts';
import type { ChangedUser, Users } from '../identity/users.ts';
import { actorOf, type Caller, isConfirmed, isSelf, manages } from './caller.ts';
import type { PeopleManagement, ShownUser } from './people.ts';
import {
  confirmationNeeded,
  type ManagementRefusal,
  noSuchUser,
  notAllowed,
  pageRefusal,
  refused,
  type Refused,
} from './refused.ts';
import type { SignIn } from './sign-in.ts';

interface PeopleManagementDeps {
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly users: Users;
  readonly store: Pick<UserStore, 'get' | 'search'>;
  readonly links: Pick<LinkStore, 'insert'>;
  /** Checks the current password, behind the count of wrong ones. */
  readonly signIn: Pick<SignIn, 'confirm'>;
}

/** See `PeopleManagement`. */
export function createPeopleManagement(deps: PeopleManagementDeps): PeopleManagement {
  const { users, store } = deps;
  const linkFor = (caller: Caller, user: UserRecord): Promise<string> =>
    issueLink(deps, actorOf(caller), 'set-password', user.id);

  return {
    async list(caller, query) {
      if (!manages(caller, 'users')) return notAllowed;
      const bad = pageRefusal(query);
      if (bad !== null) return bad;
      const page = await store.search(query);
      return { ...page, items: page.items.map(show) };
    },
    async get(caller, id) {
      if (!manages(caller, 'users') && !isSelf(caller, id)) {
        return caller.kind === 'key' ? notAllowed : noSuchUser;
      }
      const user = await store.get(id);
      return user === null ? noSuchUser : show(user);
    },
    async create(caller, { name, password, displayName = null, email = null, role = 'user' }) {
      const refusal = managingRefusal(caller);
      if (refusal !== null) return refusal;
      const added = await users.add(actorOf(caller), name, password, { displayName, email, role });
      if (added.kind === 'refused') return toRefused(added);
      const passwordLink = password === null ? await linkFor(caller, added.user) : null;
      return { user: show(added.user), passwordLink };
    },
    async change(caller, id, changes, ifVersion) {
      const refusal = managingRefusal(caller);
      if (refusal !== null) return refusal;
      const { displayName, email, role, disabled, mayHaveTokens } = changes;
      const given = Object.entries({ displayName, email, role, disabled, mayHaveTokens });
      const edit = Object.fromEntries(given.filter(([, value]) => value !== undefined));
      const conditions = { keepsAnAdmin: true, ...(ifVersion === undefined ? {} : { ifVersion }) };
      return shown(await users.change(actorOf(caller), id, edit, conditions));
    },
    async passwordLink(caller, id) {
      const refusal = managingRefusal(caller);
      if (refusal !== null) return refusal;
      const user = await store.get(id);
      if (user === null) return noSuchUser;
      return user.source === localSource ? { secret: await linkFor(caller, user) } : passwordElsewhere(user);
    },
    async remove(caller, id) {
      const refusal = managingRefusal(caller);
      if (refusal !== null) return refusal;
      return shown(await users.remove(actorOf(caller), id, { keepsAnAdmin: true }));
    },
    async changeOwnPassword(caller, current, next) {
      if (!isConfirmed(caller)) return confirmationNeeded;
      if (caller.kind === 'key') return notAllowed;
      const { user, session } = caller;
      if (user.source !== localSource) return passwordElsewhere(user);
      const checked = await deps.signIn.confirm(caller, current);
      if (checked.kind === 'refused') {
        return checked.code === 'throttled'
          ? refused('throttled', checked.detail)
          : refused('wrong_password', 'The current password is another one: try again.');
      }
      return shown(await users.setPassword(actorOf(caller), user.id, next, session.id));
    },
    async setOwnLanguage(caller, language) {
      if (caller.kind === 'key') return notAllowed;
      return shown(await users.change(actorOf(caller), caller.user.id, { language }));
    },
  };
}

/** Why the caller may not change users now, or null; nothing is looked up for it. */
function managingRefusal(caller: Caller): ManagementRefusal | null {
  if (!isConfirmed(caller)) return confirmationNeeded;
  return manages(caller, 'users') ? null : notAllowed;
}

function show(user: UserRecord): ShownUser {
  const { passwordHash, sourceGrant: _grant, nameKey: _key, ...rest } = user;
  return { ...rest, hasPassword: passwordHash !== null };
}

function shown(outcome: ChangedUser | UserRefusal): ShownUser | Refused {
  return outcome.kind === 'refused' ? toRefused(outcome) : show(outcome.user);
}

function toRefused(refusal: UserRefusal): Refused {
  switch (refusal.code) {
    case 'no_user':
      return noSuchUser;
    case 'last_admin':
    case 'elsewhere':
      return refused('conflict', refusal.detail);
    default:
      return refusal;
  }
}

function passwordElsewhere({ name, source }: UserRecord): ManagementRefusal {
  return refused('conflict', `The password of ${name} is kept at ${source}: change it there.`);
}
