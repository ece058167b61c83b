import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ChangedUser, Users } from '../../../src/identity/users.ts';
import type { UserEdit } from '../../../src/identity/user-edits.ts';
import type { UserRefusal } from '../../../src/identity/user-refusal.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import { type ManagementWorld, openManagementWorld, worldPassword } from '../../support/management-world.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock } from '../../support/stepped-clock.ts';
import { userRecord } from '../../support/store-records.ts';
import { tester } from '../../support/token-world.ts';

let scratch: Scratch;
let world: ManagementWorld;
let users: Users;

beforeEach(async () => {
  scratch = await makeScratch('user-changes');
  world = await openManagementWorld({ path: scratch.file('latchkey.db'), clock: steppedClock() });
  ({ users } = world);
});
afterEach(async () => {
  world.database.close();
  await scratch.remove();
});

const codeOf = (outcome: ChangedUser | UserRefusal): string =>
  outcome.kind === 'refused' ? outcome.code : outcome.changed ? 'changed' : 'same';

/** Somebody from a directory. */
async function fromElsewhere(name: string, fields: Partial<UserRecord> = {}): Promise<UserRecord> {
  const user = userRecord(name, { source: 'ldap', subject: `uuid of ${name}`, ...fields });
  const event = { at: 0, action: 'user.provision', actor: 'source:ldap', userId: user.id, tokenId: null };
  assert.ok(await world.userStore.insert(user, { ...event, details: {} }));
  return user;
}

describe('a change of a user', () => {
  test('applies what differs, once, with the event of the gravest of it', async () => {
    const alice = await world.user('alice', undefined, null);
    const edits: readonly (readonly [UserEdit, string])[] = [
      [{ displayName: ' Alice ', email: 'alice@example.org' }, 'user.edit'],
      [{ language: 'de' }, 'user.language'],
      [{ mayHaveTokens: false }, 'user.tokens'],
      [{ role: 'admin', displayName: null }, 'user.role'],
      [{ disabled: true, role: 'user' }, 'user.disable'],
      [{ disabled: false }, 'user.enable'],
    ];
    for (const [edit, action] of edits) {
      assert.equal(codeOf(await users.change(tester, alice.id, edit)), 'changed');
      assert.equal(codeOf(await users.change(tester, alice.id, edit)), 'same');
      const [event] = await world.tokens.audit({ userId: alice.id, limit: 1 });
      assert.equal(event?.action, action);
    }
    const now = await users.find('alice');
    const { displayName, email, language, mayHaveTokens, role, disabled, version } = now ?? alice;
    assert.deepEqual(
      { displayName, email, language, mayHaveTokens, role, disabled, version },
      {
        ...{ displayName: null, email: 'alice@example.org', language: 'de', mayHaveTokens: false },
        ...{ role: 'user', disabled: false, version: 7 },
      },
    );
  });

  test('names who made it, and from which address', async () => {
    const alice = await world.user('alice', undefined, null);
    await users.change({ name: 'user:root', address: '192.0.2.5' }, alice.id, { role: 'admin' });
    const [event] = await world.tokens.audit({ userId: alice.id, limit: 1 });
    assert.deepEqual([event?.actor, event?.details], ['user:root', { address: '192.0.2.5', role: 'admin' }]);
  });

  const wrong: readonly (readonly [UserEdit, UserRefusal['code']])[] = [
    [{ displayName: 'x'.repeat(121) }, 'bad_display_name'],
    [{ displayName: 'a\nb' }, 'bad_display_name'],
    [{ displayName: 'a\u202eb' }, 'bad_display_name'],
    [{ email: 'nobody' }, 'bad_email'],
    [{ email: 'a@b, c@d' }, 'bad_email'],
    [{ email: 'a,b@example.org' }, 'bad_email'],
    [{ email: 'Alice <a@example.org>' }, 'bad_email'],
    [{ email: 'a@example.org\r\nBcc: b@example.org' }, 'bad_email'],
    [{ email: `${'a'.repeat(250)}@example.org` }, 'bad_email'],
  ];
  for (const [edit, code] of wrong) {
    test(`cannot be ${JSON.stringify(edit).slice(0, 60)}`, async () => {
      const alice = await world.user('alice', undefined, null);
      assert.equal(codeOf(await users.change(tester, alice.id, edit)), code);
      assert.equal(codeOf(await users.add(tester, 'bob', null, edit)), code);
      assert.equal(await users.find('bob'), null);
    });
  }

  test('never keeps the value of a token in clear', async () => {
    const alice = await world.user('alice', undefined, null);
    const { value } = await world.mint(alice);
    for (const [edit, code] of [
      [{ displayName: `my ${value}` }, 'bad_display_name'],
      [{ email: `${value}@example.org` }, 'bad_email'],
    ] as const) {
      assert.equal(codeOf(await users.change(tester, alice.id, edit)), code);
    }
  });

  test('of a version that is no longer is refused, also where it would change nothing', async () => {
    const alice = await world.user('alice', undefined, null);
    assert.equal(
      codeOf(await users.change(tester, alice.id, { role: 'admin' }, { ifVersion: 1 })),
      'changed',
    );
    assert.equal(codeOf(await users.change(tester, alice.id, { role: 'user' }, { ifVersion: 1 })), 'stale');
    assert.equal(codeOf(await users.change(tester, alice.id, { role: 'admin' }, { ifVersion: 1 })), 'stale');
    assert.equal(codeOf(await users.remove(tester, alice.id, { ifVersion: 1 })), 'stale');
    assert.equal((await users.find('alice'))?.version, 2);
  });

  test('of several made at once from one version, exactly one is made', async () => {
    const alice = await world.user('alice', undefined, null);
    const all = ['a', 'b', 'c', 'd'].map((displayName) =>
      users.change(tester, alice.id, { displayName }, { ifVersion: 1 }),
    );
    const codes = (await Promise.all(all)).map(codeOf).toSorted();
    assert.deepEqual(codes, ['changed', 'stale', 'stale', 'stale']);
  });
});

describe('users of another source', () => {
  test('have no password, name or mail of ours, but a role, and can be disabled', async () => {
    const carol = await fromElsewhere('carol');
    assert.equal(codeOf(await users.setPassword(tester, carol.id, 'a long password')), 'elsewhere');
    assert.equal(codeOf(await users.change(tester, carol.id, { displayName: 'C' })), 'elsewhere');
    assert.equal(codeOf(await users.change(tester, carol.id, { email: 'c@example.org' })), 'elsewhere');
    assert.equal(
      codeOf(await users.change(tester, carol.id, { displayName: null, role: 'admin' })),
      'changed',
    );
    assert.equal(codeOf(await users.change(tester, carol.id, { disabled: true })), 'changed');
  });
});

describe('the last admin who can sign in', () => {
  const keeping = { keepsAnAdmin: true };
  const endings: readonly (readonly [string, (user: UserRecord) => Promise<ChangedUser | UserRefusal>])[] = [
    ['be disabled', ({ id }) => users.change(tester, id, { disabled: true }, keeping)],
    ['become a user', ({ id }) => users.change(tester, id, { role: 'user' }, keeping)],
    ['be removed', ({ id }) => users.remove(tester, id, keeping)],
  ];
  for (const [what, end] of endings) {
    test(`cannot ${what}, until there is another`, async () => {
      const root = await world.user('root', { role: 'admin' });
      await world.user('alice');
      assert.equal(codeOf(await end(root)), 'last_admin');
      const unusable: readonly Promise<UserRecord>[] = [
        world.user('disabled', { role: 'admin', disabled: true }),
        world.user('without a password', { role: 'admin' }, null),
        fromElsewhere('lapsed', { role: 'admin', lapsed: true }),
      ];
      await Promise.all(unusable);
      assert.equal(codeOf(await end(root)), 'last_admin', 'these cannot sign in');
      await world.user('second', { role: 'admin' });
      assert.equal(codeOf(await end(root)), 'changed');
    });
  }

  test('may be somebody from elsewhere', async () => {
    const root = await world.user('root', { role: 'admin' });
    await fromElsewhere('carol', { role: 'admin' });
    assert.equal(codeOf(await users.change(tester, root.id, { role: 'user' }, keeping)), 'changed');
  });

  test('can be given a name, a password and a language', async () => {
    const root = await world.user('root', { role: 'admin' });
    const edit: UserEdit = { displayName: 'Root', language: 'en', role: 'admin', disabled: false };
    assert.equal(codeOf(await users.change(tester, root.id, edit, keeping)), 'changed');
    assert.equal(codeOf(await users.setPassword(tester, root.id, worldPassword)), 'changed');
  });

  test('is kept where all are taken away at once, by several processes', async () => {
    const admins = await Promise.all(['a', 'b', 'c', 'd'].map((name) => world.user(name, { role: 'admin' })));
    const other = await openManagementWorld({ path: scratch.file('latchkey.db'), clock: steppedClock() });
    try {
      const all = admins.map(({ id }, at) => {
        const { users: via } = at % 2 === 0 ? world : other;
        return at < 2
          ? via.change(tester, id, { disabled: true }, keeping)
          : at === 2
            ? via.change(tester, id, { role: 'user' }, keeping)
            : via.remove(tester, id, keeping);
      });
      const codes = (await Promise.all(all)).map(codeOf).toSorted();
      assert.deepEqual(codes, ['changed', 'changed', 'changed', 'last_admin']);
      assert.equal(await world.userStore.hasAny('admin'), true);
    } finally {
      other.database.close();
    }
  });

  test('can be taken away at the command line, which can make another', async () => {
    const root = await world.user('root', { role: 'admin' });
    assert.equal(codeOf(await users.change(tester, root.id, { disabled: true })), 'changed');
  });

  test('is not kept by one that cannot sign in anyway: that one may go', async () => {
    const broken = await world.user('broken', { role: 'admin' }, null);
    assert.equal(codeOf(await users.remove(tester, broken.id, keeping)), 'changed');
  });
});
