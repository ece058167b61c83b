import type { Change } from '../core/change.ts';
import type { Clock } from '../core/clock.ts';
import type { SessionId, UserId } from '../core/ids.ts';
import type { RandomBytes } from '../core/random.ts';
import { foldUserName } from '../core/user-name.ts';
import { isUuid, uuidV7 } from '../core/uuid.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import { type Passwords, passwordProblem } from './passwords.ts';
import { changeAction, checkDetails, type UserEdit } from './user-edits.ts';
import { checkUserName } from './user-name.ts';
import { refuseUser, type UserRefusal } from './user-refusal.ts';
import { canAdminister, localSource, type UserGuard, type UserRecord, type UserStore } from './user-store.ts';

/** Who does it, for the audit trail. */
export interface UserActor {
  /** `cli:root`, `user:alice`, `key:ci` … */
  readonly name: string;
  /** The address it came from, null where not over the network. */
  readonly address: string | null;
}

/** A user after a change; `changed` false where it already was as wished. */
export interface ChangedUser {
  readonly kind: 'user';
  readonly user: UserRecord;
  readonly changed: boolean;
}

/** What must still be so when a change is made; decided in its transaction. */
export interface UserConditions {
  /** Else refused as 'stale'. */
  readonly ifVersion?: number;
  /** Refused as 'last_admin' where nobody would be left who can sign in and manage others. */
  readonly keepsAnAdmin?: boolean;
}

/**
 * What can be done to users, for every surface alike. When a change resolves, the store has it and it has been
 * announced. Rejects with a Fault where the store cannot be asked or too many passwords wait.
 */
export interface Users {
  /** By login name in any spelling, or by id; null where there is none. */
  find(nameOrId: string): Promise<UserRecord | null>;
  /** In the order of their names. */
  list(filter: { readonly limit: number; readonly after?: UserId }): Promise<readonly UserRecord[]>;
  /** A local user; `password` null: it has tokens only, until it gets one. */
  add(
    actor: UserActor,
    name: string,
    password: string | null,
    details?: Pick<UserEdit, 'displayName' | 'email' | 'role'>,
  ): Promise<ChangedUser | UserRefusal>;
  /** Ends the user's sessions where it is shut out. */
  change(
    actor: UserActor,
    id: UserId,
    edit: UserEdit,
    conditions?: UserConditions,
  ): Promise<ChangedUser | UserRefusal>;
  /** Only local users have one. Ends the user's sessions, but one where that is given. */
  setPassword(
    actor: UserActor,
    id: UserId,
    password: string | null,
    keeps?: SessionId,
  ): Promise<ChangedUser | UserRefusal>;
  /** Removes the user, its sessions, and revokes all its tokens. */
  remove(actor: UserActor, id: UserId, conditions?: UserConditions): Promise<ChangedUser | UserRefusal>;
}

interface UsersDeps {
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly store: UserStore;
  readonly passwords: Pick<Passwords, 'hash'>;
  /** Whether a text is or holds the value of a token, which must not be kept in clear. */
  readonly holdsToken: (text: string) => boolean;
  /** Makes a committed change known to this process and others. */
  readonly announce: (changes: readonly Change[]) => Promise<void>;
}

/** See `Users`. */
export function createUsers(deps: UsersDeps): Users {
  const { clock, store } = deps;
  const audit = (action: string, actor: UserActor, userId: UserId, facts: AuditEvent['details'] = {}) => {
    const details = actor.address === null ? facts : { address: actor.address, ...facts };
    return { at: clock.now(), action, actor: actor.name, userId, tokenId: null, details };
  };

  async function announced(id: UserId, user: UserRecord | null): Promise<ChangedUser | UserRefusal> {
    if (user === null) return noUser(id);
    await deps.announce([{ kind: 'user', userId: user.id, version: user.version }]);
    return { kind: 'user', user, changed: true };
  }

  return {
    find: async (nameOrId) =>
      // Ids first: a source may call somebody by the id of somebody else.
      (isUuid(nameOrId) ? await store.get(nameOrId.toLowerCase() as UserId) : null) ??
      store.findByName(foldUserName(nameOrId)),
    list: (filter) => store.list(filter),
    async add(actor, text, password, details = {}) {
      if (deps.holdsToken(text)) return refuseUser('bad_name', nameIsToken);
      const checked = checkUserName(text);
      if ('problem' in checked) return refuseUser('bad_name', checked.problem);
      const chosen = checkDetails(details, deps.holdsToken);
      if ('kind' in chosen) return chosen;
      const problem = password === null ? null : passwordProblem(password);
      if (problem !== null) return refuseUser('bad_password', problem);
      const hash = password === null ? null : await deps.passwords.hash(password);
      const user = { ...newUser(deps, checked.name), ...chosen, passwordHash: hash };
      const { name, role } = user;
      const isAdded = await store.insert(user, audit('user.add', actor, user.id, { name, role }));
      return isAdded ? { kind: 'user', user, changed: true } : nameTaken(store, user);
    },
    async change(actor, id, edit, conditions = {}) {
      const wished = checkDetails(edit, deps.holdsToken);
      if ('kind' in wished) return wished;
      const user = await store.get(id);
      if (user === null) return noUser(id);
      const patch = differences(user, wished);
      if (user.source !== localSource && ('displayName' in patch || 'email' in patch))
        return fromElsewhere(user);
      const { guard, refusal } = guarding(conditions, (now) => canAdminister({ ...now, ...patch }));
      if (Object.keys(patch).length === 0) {
        return guard(user, () => true) ? { kind: 'user', user, changed: false } : (refusal() ?? noUser(id));
      }
      const event = audit(changeAction(patch), actor, id, { ...patch });
      const changed = await store.change(id, patch, event, { guard });
      return refusal() ?? announced(id, changed);
    },
    async setPassword(actor, id, password, keeps) {
      const problem = password === null ? null : passwordProblem(password);
      if (problem !== null) return refuseUser('bad_password', problem);
      const user = await store.get(id);
      if (user === null) return noUser(id);
      if (user.source !== localSource) return fromElsewhere(user);
      const passwordHash = password === null ? null : await deps.passwords.hash(password);
      const event = audit('user.password', actor, id, { hasPassword: password !== null });
      // Whoever knew the old one, or stole a cookie, is out.
      const options = keeps === undefined ? {} : { keeps };
      return announced(id, await store.change(id, { passwordHash }, event, options));
    },
    async remove(actor, id, conditions = {}) {
      const { guard, refusal } = guarding(conditions, () => false);
      const removed = await store.remove(id, audit('user.remove', actor, id), guard);
      return refusal() ?? announced(id, removed);
    },
  };
}

/** Asks the store to keep to the conditions; `refusal` says afterwards which was not met. */
function guarding(
  { ifVersion, keepsAnAdmin = false }: UserConditions,
  staysAdmin: (user: UserRecord) => boolean,
): { readonly guard: UserGuard; readonly refusal: () => UserRefusal | null } {
  let refusal: UserRefusal | null = null;
  return {
    guard: (user, hasOtherAdmin) => {
      refusal = null;
      if (ifVersion !== undefined && user.version !== ifVersion) {
        refusal = refuseUser('stale', 'The user has been changed meanwhile: look at it again.');
      } else if (keepsAnAdmin && canAdminister(user) && !staysAdmin(user) && !hasOtherAdmin()) {
        refusal = refuseUser('last_admin', lastAdmin);
      }
      return refusal === null;
    },
    refusal: () => refusal,
  };
}

function newUser({ clock, randomBytes }: UsersDeps, name: string): UserRecord {
  return {
    id: uuidV7(clock.now(), randomBytes) as UserId,
    ...{ name, nameKey: foldUserName(name), displayName: null, email: null, language: null, role: 'user' },
    ...{ source: localSource, subject: null, passwordHash: null, disabled: false, lapsed: false },
    ...{ mayHaveTokens: null, createdAt: clock.now(), signedInAt: null },
    ...{ sourceGrant: null, sourceCheckedAt: null, version: 1 },
  };
}

async function nameTaken(store: UserStore, { name, nameKey }: UserRecord): Promise<UserRefusal> {
  // It may be spelt otherwise, and then the one asked for is in no list.
  const taken = (await store.findByName(nameKey))?.name ?? name;
  if (taken === name) return refuseUser('name_taken', `There is already a user ${name}.`);
  const why = `there is already the user ${taken}, and names that differ in case alone are one`;
  return refuseUser('name_taken', `${name} cannot be added: ${why}.`);
}

function differences(user: UserRecord, wished: UserEdit): UserEdit {
  const current = new Map<string, unknown>(Object.entries(user));
  return Object.fromEntries(Object.entries(wished).filter(([field, value]) => current.get(field) !== value));
}

function noUser(id: UserId): UserRefusal {
  return refuseUser('no_user', `There is no user ${id}.`);
}

function fromElsewhere({ name, source }: UserRecord): UserRefusal {
  return refuseUser(
    'elsewhere',
    `The user ${name} is kept at ${source}: change name, mail and password there.`,
  );
}

const nameIsToken =
  'The name given is or holds the value of a token, and it would be kept in clear: choose a login name such as alice, ' +
  'and revoke that token if others saw it.';
const lastAdmin =
  'Nobody else can sign in as an administrator: make somebody else one first, then try again.';
