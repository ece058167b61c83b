/** Whoever names what is somebody else's learns nothing by it and changes nothing: every operation, every kind of id. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SessionId, TokenId, UserId } from '../../../src/core/ids.ts';
import type { AdminKeyScope } from '../../../src/identity/admin-key-store.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import type { Caller, Person } from '../../../src/management/caller.ts';
import { isRefused } from '../../../src/management/refused.ts';
import { openPolicy } from '../../../src/tokens/policy.ts';
import { type ManagementWorld, openManagementWorld, worldPassword } from '../../support/management-world.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock } from '../../support/stepped-clock.ts';
import { tester } from '../../support/token-world.ts';

/** What a caller may name: all of one person, or of nobody. */
interface Named {
  readonly user: UserId;
  readonly token: TokenId;
  readonly session: SessionId;
}

interface Operation {
  readonly name: string;
  /** Which scope lets a key do it. */
  readonly scope: AdminKeyScope;
  /** Reading needs no confirmation. */
  readonly changes: boolean;
  run(world: ManagementWorld, caller: Caller, named: Named): Promise<object>;
}

const page = { order: 'created', descending: true, limit: 10 } as const;
const phone = { name: 'phone', scopes: ['*'] };
const operations: readonly Operation[] = [
  ...tokenOperations(),
  {
    ...{ name: 'people.list', scope: 'users', changes: false },
    run: (world, caller, { user }) => world.people.list(caller, { text: user.slice(0, 50), limit: 10 }),
  },
  {
    ...{ name: 'people.get', scope: 'users', changes: false },
    run: (world, caller, { user }) => world.people.get(caller, user),
  },
  {
    ...{ name: 'people.create', scope: 'users', changes: true },
    run: (world, caller) => world.people.create(caller, { name: 'victim', password: worldPassword }),
  },
  {
    ...{ name: 'people.change', scope: 'users', changes: true },
    run: (world, caller, { user }) => world.people.change(caller, user, { role: 'admin', disabled: true }),
  },
  {
    ...{ name: 'people.change of a version', scope: 'users', changes: true },
    run: (world, caller, { user }) => world.people.change(caller, user, { disabled: true }, 999),
  },
  {
    ...{ name: 'people.passwordLink', scope: 'users', changes: true },
    run: (world, caller, { user }) => world.people.passwordLink(caller, user),
  },
  {
    ...{ name: 'people.remove', scope: 'users', changes: true },
    run: (world, caller, { user }) => world.people.remove(caller, user),
  },
  {
    ...{ name: 'sessions.list', scope: 'users', changes: false },
    run: (world, caller, { user }) => world.sessionManagement.list(caller, user),
  },
  {
    ...{ name: 'sessions.end', scope: 'users', changes: false },
    run: (world, caller, { user, session }) => world.sessionManagement.end(caller, user, session),
  },
  {
    ...{ name: 'sessions.endAll', scope: 'users', changes: false },
    run: (world, caller, { user }) => world.sessionManagement.endAll(caller, user, true),
  },
  {
    ...{ name: 'audit.list of a user', scope: 'audit', changes: false },
    run: (world, caller, { user }) => world.audit.list(caller, { userId: user, limit: 10 }),
  },
];

function tokenOperations(): readonly Operation[] {
  const kinds: readonly (readonly [string, boolean, Operation['run']])[] = [
    [
      'list',
      false,
      ({ tokenManagement }, caller, { user }) => tokenManagement.list(caller, { ...page, userId: user }),
    ],
    ['get', false, ({ tokenManagement }, caller, { token }) => tokenManagement.get(caller, token)],
    ['create', true, ({ tokenManagement }, caller, { user }) => tokenManagement.create(caller, user, phone)],
    [
      'edit',
      true,
      ({ tokenManagement }, caller, { token }) => tokenManagement.edit(caller, token, { name: 'x' }),
    ],
    [
      'edit of a version',
      true,
      ({ tokenManagement }, caller, { token }) => tokenManagement.edit(caller, token, { name: 'x' }, 999),
    ],
    [
      'edit to what cannot be',
      true,
      ({ tokenManagement }, caller, { token }) => tokenManagement.edit(caller, token, { scopes: ['fly'] }),
    ],
    [
      'regenerate',
      true,
      ({ tokenManagement }, caller, { token }) => tokenManagement.regenerate(caller, token),
    ],
    ['copy', true, ({ tokenManagement }, caller, { token }) => tokenManagement.copy(caller, token, {})],
    [
      'switch off',
      true,
      ({ tokenManagement }, caller, { token }) => tokenManagement.setEnabled(caller, token, false),
    ],
    [
      'switch on',
      true,
      ({ tokenManagement }, caller, { token }) => tokenManagement.setEnabled(caller, token, true),
    ],
    ['revoke', true, ({ tokenManagement }, caller, { token }) => tokenManagement.revoke(caller, token)],
    [
      'revokeMany',
      true,
      ({ tokenManagement }, caller, { token }) => tokenManagement.revokeMany(caller, [token]),
    ],
    [
      'replacePolicy',
      true,
      ({ tokenManagement }, caller) => tokenManagement.replacePolicy(caller, openPolicy, 0),
    ],
  ];
  return kinds.map(([name, changes, run]) => ({ name: `tokens.${name}`, scope: 'tokens', changes, run }));
}

let scratch: Scratch;
let world: ManagementWorld;
let stranger: Person;
let victim: UserRecord;
/** By what it is called: an id of somebody else, of nobody, of somebody removed, or no id at all. */
const named = new Map<string, Named>();

before(async () => {
  scratch = await makeScratch('foreign-ids');
  world = await openManagementWorld({ path: scratch.file('latchkey.db'), clock: steppedClock() });
  stranger = await world.signIn(await world.user('stranger'));
  victim = await world.user('victim');
  const ofUser = async (user: UserRecord): Promise<Named> => ({
    user: user.id,
    token: (await world.mint(user)).token.id,
    session: (await world.signIn(user)).session.id,
  });
  named.set('somebody else', await ofUser(victim));
  named.set('an admin', await ofUser(await world.user('root', { role: 'admin' })));
  const removed = await world.user('removed');
  named.set('somebody removed', await ofUser(removed));
  await world.users.remove(tester, removed.id);
  const texts = [
    '00000000-0000-7000-8000-000000000000',
    '',
    "' OR 1=1 --",
    '../..',
    'x'.repeat(100_000),
    '*',
  ];
  for (const text of texts) {
    const [user, token, session] = [text as UserId, text as TokenId, text as SessionId];
    named.set(`nobody: ${text.slice(0, 20)}`, { user, token, session });
  }
});
after(async () => {
  world.database.close();
  await scratch.remove();
});

/** Everything that is kept, the trail included. */
function everything(): string {
  const tables = [
    'users',
    'tokens',
    'sessions',
    'admin_keys',
    'one_time_links',
    'token_policy',
    'audit',
    'journal',
  ];
  return JSON.stringify(tables.map((table) => world.database.prepare(`SELECT * FROM ${table}`).all()));
}

/** The one answer that all ids get. */
async function sameAnswer(operation: Operation, caller: Caller): Promise<string> {
  const kept = everything();
  const answers = new Map<string, string>();
  for (const [whose, ids] of named) {
    const answer = await operation.run(world, caller, ids);
    assert.ok(isRefused(answer), `${whose}: ${JSON.stringify(answer)}`);
    answers.set(JSON.stringify(answer), whose);
  }
  assert.equal(answers.size, 1, `told apart: ${JSON.stringify([...answers])}`);
  assert.ok(everything() === kept, 'something was written');
  return (JSON.parse([...answers.keys()][0] ?? '{}') as { readonly code: string }).code;
}

describe('what is somebody else’s', () => {
  for (const operation of operations) {
    test(`${operation.name}: a person is answered as if there were nothing`, async () => {
      const code = await sameAnswer(operation, stranger);
      assert.ok(code === 'not_found' || code === 'not_allowed', code);
    });

    test(`${operation.name}: a key for other things is not allowed to`, async () => {
      const others = (['users', 'tokens', 'audit'] as const).filter((scope) => scope !== operation.scope);
      assert.equal(await sameAnswer(operation, await world.key(...others)), 'not_allowed');
    });

    if (operation.changes) {
      test(`${operation.name}: without a recent confirmation nothing is looked up, for an admin neither`, async () => {
        const root = named.get('an admin')?.user ?? victim.id;
        for (const person of [await world.signIn(victim, false), await world.signIn({ id: root }, false)]) {
          assert.equal(await sameAnswer(operation, person), 'confirmation_needed');
        }
      });
    }
  }
});

describe('what is one’s own', () => {
  test('is not reached through somebody else: a session is ended only together with whose it is', async () => {
    const mine = await world.signIn(stranger.user);
    const theirs = named.get('somebody else');
    assert.ok(theirs !== undefined);
    const { sessionManagement } = world;
    const root = await world.signIn({ id: named.get('an admin')?.user ?? victim.id });
    for (const answer of [
      await sessionManagement.end(mine, mine.user.id, theirs.session),
      await sessionManagement.end(mine, theirs.user, mine.session.id),
      await sessionManagement.end(root, mine.user.id, theirs.session),
    ]) {
      assert.ok(isRefused(answer) && answer.code === 'not_found', JSON.stringify(answer));
    }
  });

  test('in the trail is all that a filter finds, whatever it names', async () => {
    const theirs = named.get('somebody else');
    assert.ok(theirs !== undefined);
    await world.signIn(stranger.user);
    for (const filter of [
      {},
      { tokenId: theirs.token },
      { actor: 'user:victim' },
      { action: 'token.' },
      { from: 0 },
    ]) {
      const found = await world.audit.list(stranger, { ...filter, limit: 100 });
      assert.ok(!isRefused(found));
      assert.ok(
        found.items.every(({ userId }) => userId === stranger.user.id),
        JSON.stringify(filter),
      );
    }
    const all = await world.audit.list(stranger, { limit: 1 });
    assert.ok(!isRefused(all) && all.next !== null);
    const next = await world.audit.list(stranger, { limit: 100, after: all.next });
    assert.ok(!isRefused(next) && next.items.every(({ userId }) => userId === stranger.user.id));
  });

  test('is not widened by a cursor from an admin’s list', async () => {
    const root = await world.signIn({ id: named.get('an admin')?.user ?? victim.id });
    const [tokens, trail] = [
      await world.tokenManagement.list(root, { ...page, limit: 1 }),
      await world.audit.list(root, { limit: 1 }),
    ];
    assert.ok(!isRefused(tokens) && !isRefused(trail));
    const after = tokens.next ?? '';
    const own = await world.tokenManagement.list(stranger, { ...page, after });
    assert.ok(!isRefused(own) && own.items.every(({ userId }) => userId === stranger.user.id));
    const events = await world.audit.list(stranger, { limit: 100, after: trail.next ?? '' });
    assert.ok(!isRefused(events) && events.items.every(({ userId }) => userId === stranger.user.id));
  });
});
