import type { Change } from '../core/change.ts';
import type { Clock } from '../core/clock.ts';
import type { UserId } from '../core/ids.ts';
import type { RandomBytes } from '../core/random.ts';
import { foldUserName } from '../core/user-name.ts';
import { isUuid, uuidV7 } from '../core/uuid.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import { type Passwords, passwordProblem } from './passwords.ts';
import { checkUserName } from './user-name.ts';
import { localSource, type UserRecord, type UserStore } from './user-store.ts';

/** An expected no, with a sentence that says what to do instead. */
export interface UserRefusal {
  readonly kind: 'refused';
  readonly code:
    | 'bad_name'
    | 'bad_display_name'
    | 'bad_email'
    | 'bad_password'
    | 'name_taken'
    | 'no_user'
    /** It has changed since it was read (RFC 9110 section 13.1.1). */
    | 'stale'
    /** Nobody would be left who can sign in and manage others. */
    | 'last_admin';
  readonly detail: string;
}

/** A user after a change; `changed` false where it already was as wished. */
export interface ChangedUser {
  readonly kind: 'user';
  readonly user: UserRecord;
  readonly changed: boolean;
}

/**
 * What can be done to users, for every surface alike. `actor` is as in audit events. When a change
 * resolves, the store has it and it has been announced.
 */
export interface Users {
  /** By login name in any spelling, or by id; null where there is none. */
  find(nameOrId: string): Promise<UserRecord | null>;
  /** In the order of their names. */
  list(filter: { readonly limit: number; readonly after?: UserId }): Promise<readonly UserRecord[]>;
  /** `password` null: the user has tokens only. */
  add(actor: string, name: string, password: string | null): Promise<ChangedUser | UserRefusal>;
  setDisabled(actor: string, id: UserId, disabled: boolean): Promise<ChangedUser | UserRefusal>;
  setPassword(actor: string, id: UserId, password: string | null): Promise<ChangedUser | UserRefusal>;
  /** Removes the user and revokes all its tokens. */
  remove(actor: string, id: UserId): Promise<ChangedUser | UserRefusal>;
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
  const audit = (
    action: string,
    actor: string,
    userId: UserId,
    details: AuditEvent['details'] = {},
  ): AuditEvent => ({
    ...{ at: clock.now(), action, actor },
    ...{ userId, tokenId: null, details },
  });

  async function announced(id: UserId, user: UserRecord | null): Promise<ChangedUser | UserRefusal> {
    if (user === null) return refuse('no_user', `There is no user ${id}.`);
    await deps.announce([{ kind: 'user', userId: user.id, version: user.version }]);
    return { kind: 'user', user, changed: true };
  }

  return {
    find: async (nameOrId) =>
      (await store.findByName(foldUserName(nameOrId))) ??
      (isUuid(nameOrId) ? store.get(nameOrId.toLowerCase() as UserId) : null),
    list: (filter) => store.list(filter),
    async add(actor, text, password) {
      if (deps.holdsToken(text)) return refuse('bad_name', nameIsToken);
      const checked = checkUserName(text);
      if ('problem' in checked) return refuse('bad_name', checked.problem);
      const problem = password === null ? null : passwordProblem(password);
      if (problem !== null) return refuse('bad_password', problem);
      const { name } = checked;
      const user: UserRecord = {
        id: uuidV7(clock.now(), deps.randomBytes) as UserId,
        name,
        nameKey: foldUserName(name),
        displayName: null,
        email: null,
        language: null,
        role: 'user',
        source: localSource,
        subject: null,
        passwordHash: password === null ? null : await deps.passwords.hash(password),
        disabled: false,
        lapsed: false,
        mayHaveTokens: null,
        createdAt: clock.now(),
        signedInAt: null,
        sourceGrant: null,
        sourceCheckedAt: null,
        version: 1,
      };
      const isAdded = await store.insert(user, audit('user.add', actor, user.id, { name }));
      if (isAdded) return { kind: 'user', user, changed: true };
      // It may be spelt otherwise, and then the one asked for is in no list.
      const taken = (await store.findByName(user.nameKey))?.name ?? name;
      if (taken === name) return refuse('name_taken', `There is already a user ${name}.`);
      const why = `there is already the user ${taken}, and names that differ in case alone are one`;
      return refuse('name_taken', `${name} cannot be added: ${why}.`);
    },
    async setDisabled(actor, id, disabled) {
      const user = await store.get(id);
      if (user?.disabled === disabled) return { kind: 'user', user, changed: false };
      const event = audit(disabled ? 'user.disable' : 'user.enable', actor, id);
      return announced(id, await store.change(id, { disabled }, event));
    },
    async setPassword(actor, id, password) {
      const problem = password === null ? null : passwordProblem(password);
      if (problem !== null) return refuse('bad_password', problem);
      const passwordHash = password === null ? null : await deps.passwords.hash(password);
      const event = audit('user.password', actor, id, { hasPassword: password !== null });
      return announced(id, await store.change(id, { passwordHash }, event));
    },
    remove: async (actor, id) => announced(id, await store.remove(id, audit('user.remove', actor, id))),
  };
}

const nameIsToken =
  'The name given is or holds the value of a token, and it would be kept in clear: choose a login name such as alice, ' +
  'and revoke that token if others saw it.';

function refuse(code: UserRefusal['code'], detail: string): UserRefusal {
  return { kind: 'refused', code, detail };
}
