import { systemRandom } from '../../src/core/random.ts';
import type { AdminKeyScope } from '../../src/identity/admin-key-store.ts';
import { createPasswords } from '../../src/identity/passwords.ts';
import { createSessions, type SessionLimits, type Sessions } from '../../src/identity/sessions.ts';
import type { UserRecord } from '../../src/identity/user-store.ts';
import type { UserEdit } from '../../src/identity/user-edits.ts';
import { type AdminKeys, createAdminKeys } from '../../src/management/admin-keys.ts';
import type { AuditReading } from '../../src/management/audit.ts';
import { createAuditReading } from '../../src/management/audit-reading.ts';
import type { KeyHolder, Person } from '../../src/management/caller.ts';
import { createPasswordDoor } from '../../src/management/password-door.ts';
import type { PeopleManagement } from '../../src/management/people.ts';
import { createPeopleManagement } from '../../src/management/people-management.ts';
import { createSessionManagement } from '../../src/management/session-management.ts';
import type { SessionManagement } from '../../src/management/sessions.ts';
import { createTokenManagement } from '../../src/management/token-management.ts';
import type { TokenManagement } from '../../src/management/tokens.ts';
import { createSqliteAdminKeyStore } from '../../src/storage/sqlite/admin-key-store.ts';
import { createSqliteLinkStore } from '../../src/storage/sqlite/link-store.ts';
import { createSqlitePolicyStore } from '../../src/storage/sqlite/policy-store.ts';
import { createSqliteSessionStore } from '../../src/storage/sqlite/session-store.ts';
import type { LinkStore } from '../../src/identity/one-time-links.ts';
import { openPolicy, type TokenPolicy } from '../../src/tokens/policy.ts';
import type { PolicyStore } from '../../src/tokens/policy-store.ts';
import { openTokenWorld, tester, type TokenWorld, type WorldOptions } from './token-world.ts';

/** Where every caller of a test comes from. */
export const callerAddress = '192.0.2.77';

/** One process as far as management goes, on a store file: everything real, down to the passwords. */
export interface ManagementWorld extends TokenWorld {
  readonly tokenManagement: TokenManagement;
  readonly people: PeopleManagement;
  readonly sessionManagement: SessionManagement;
  readonly audit: AuditReading;
  readonly adminKeys: AdminKeys;
  readonly sessions: Sessions;
  readonly links: LinkStore;
  readonly policies: PolicyStore;
  /** Adds a user who must not exist, with a password unless null, and changes it where asked to. */
  user(name: string, edit?: UserEdit, password?: string | null): Promise<UserRecord>;
  /** Signs a user in, as it is by now; confirmed unless said otherwise. */
  signIn(user: Pick<UserRecord, 'id'>, isConfirmed?: boolean): Promise<Person>;
  /** A key that may manage this. */
  key(...scopes: readonly AdminKeyScope[]): Promise<KeyHolder>;
  /** Changes the policy, whatever it was; what is not given is open. */
  setPolicy(change: Partial<TokenPolicy>): Promise<void>;
}

/** The password of every user unless a test chooses another. */
export const worldPassword = 'correct horse battery staple';

const hourMs = 3_600_000;
/** As in the product's defaults. */
export const worldLimits: SessionLimits = {
  idleMs: 12 * hourMs,
  maxMs: 7 * 24 * hourMs,
  confirmationMs: 5 * 60_000,
};

/** Wires management as the product does. */
export async function openManagementWorld(options: WorldOptions): Promise<ManagementWorld> {
  const world = await openTokenWorld(options);
  const { database, tokens, userStore: store, users, guesses, peppers, lifecycle } = world;
  const { clock } = options;
  const own = { clock, randomBytes: systemRandom };
  const sessions = createSessions({ ...own, store: createSqliteSessionStore(database), limits: worldLimits });
  const links = createSqliteLinkStore(database);
  const policies = createSqlitePolicyStore(database);
  const adminKeys = createAdminKeys({ ...own, store: createSqliteAdminKeyStore(database) });
  const passwordDoor = createPasswordDoor({
    ...{ ways: [{ kind: 'local' }], store, guesses, peppers },
    passwords: createPasswords({ concurrency: 2, queueMax: 64 }),
    provisioning: { welcome: async () => null },
    log: { info: () => undefined, warn: () => undefined },
  });
  const people = createPeopleManagement({
    ...{ ...own, users, store, links },
    signIn: {
      async confirm(person, password) {
        const entered = await passwordDoor.enterAgain(person.user, password, person.address);
        return entered.kind === 'refused' ? entered : person;
      },
    },
  });
  let keys = 0;

  return {
    ...{ ...world, people, sessions, links, policies, adminKeys },
    tokenManagement: createTokenManagement({ clock, lifecycle, tokens, users: store, policies }),
    sessionManagement: createSessionManagement({ sessions, users: store }),
    audit: createAuditReading({ tokens, users: store }),
    async user(name, edit, password = worldPassword) {
      const added = await users.add(tester, name, password);
      if (added.kind === 'refused') throw new Error(added.detail);
      if (edit === undefined) return added.user;
      const changed = await users.change(tester, added.user.id, edit);
      if (changed.kind === 'refused') throw new Error(changed.detail);
      return changed.user;
    },
    async signIn({ id }, isConfirmed = true) {
      const user = await store.get(id);
      if (user === null) throw new Error(`there is no user ${id}`);
      const started = await sessions.start({
        ...{ user, source: user.source, address: callerAddress, userAgent: 'test' },
        ...{ confirmed: isConfirmed, signOut: null, replaces: null },
      });
      if (started === null) throw new Error(`${user.name} may not sign in`);
      return { kind: 'person', user, session: started.session, address: callerAddress, isConfirmed };
    },
    async key(...scopes) {
      const made = await adminKeys.create('test', `key ${keys++}`, scopes, null);
      if ('kind' in made) throw new Error(made.detail);
      const key = await adminKeys.recognise(made.value);
      if (key === null) throw new Error('a new key is not recognised');
      return { kind: 'key', key, address: callerAddress };
    },
    async setPolicy(change) {
      const { version } = await policies.read();
      const event = { at: clock.now(), action: 'policy.replace', actor: 'test', userId: null, tokenId: null };
      await policies.replace({ ...openPolicy, ...change }, version, { ...event, details: {} });
    },
  };
}
