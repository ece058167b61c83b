import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TokenId } from '../../../src/core/ids.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import type { Person } from '../../../src/management/caller.ts';
import { isRefused, type Refused } from '../../../src/management/refused.ts';
import type { FreshToken } from '../../../src/management/tokens.ts';
import { openPolicy } from '../../../src/tokens/policy.ts';
import type { TokenSettings } from '../../../src/tokens/token-settings.ts';
import { callerAddress, type ManagementWorld, openManagementWorld } from '../../support/management-world.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { tester } from '../../support/token-world.ts';

const dayMs = 86_400_000;
let scratch: Scratch;
let clock: SteppedClock;
let world: ManagementWorld;
let alice: UserRecord;
let bob: UserRecord;
let asAlice: Person;
let asRoot: Person;

before(async () => {
  scratch = await makeScratch('token-management');
  clock = steppedClock();
  world = await openManagementWorld({ path: scratch.file('latchkey.db'), clock });
  alice = await world.user('alice', undefined, null);
  bob = await world.user('bob', undefined, null);
  asAlice = await world.signIn(alice);
  asRoot = await world.signIn(await world.user('root', { role: 'admin' }, null));
});
after(async () => {
  world.database.close();
  await scratch.remove();
});

const phone: TokenSettings = { name: 'phone', scopes: ['*'] };

function granted<T extends object>(answer: T | Refused): T {
  assert.ok(!isRefused(answer), JSON.stringify(answer));
  return answer;
}
const make = async (settings: TokenSettings = {}, caller = asAlice, owner = alice): Promise<FreshToken> =>
  granted(await world.tokenManagement.create(caller, owner.id, { ...phone, ...settings }));
const codeOf = (answer: object): string => (isRefused(answer) ? answer.code : 'granted');
const works = async (value: string): Promise<boolean> => (await world.bearer(value)).kind === 'verified';
const lastEvent = async (id: TokenId) => (await world.tokens.audit({ tokenId: id, limit: 1 }))[0];

describe('a person', () => {
  test('makes tokens that work, and is named with the address as their maker', async () => {
    const { token, value } = await make();
    assert.ok(await works(value));
    assert.deepEqual(
      [token.ownerName, token.state, token.createdBy, token.createdFrom],
      ['alice', 'active', 'user:alice', callerAddress],
    );
    const event = await lastEvent(token.id);
    assert.deepEqual(
      [event?.action, event?.actor, event?.details['address']],
      [...['token.create', 'user:alice', callerAddress]],
    );
  });

  test('never sees a digest, nor the value but once', async () => {
    const { token, value } = await make();
    const shown = granted(await world.tokenManagement.get(asAlice, token.id));
    const listed = granted(
      await world.tokenManagement.list(asAlice, { order: 'created', descending: true, limit: 100 }),
    );
    for (const text of [token, shown, listed].map((one) => JSON.stringify(one))) {
      assert.ok(!/digest|pepper/i.test(text));
      assert.ok(!text.includes(value));
    }
  });

  test('sees its own tokens alone, page by page, also when it asks for everybody', async () => {
    const carol = await world.user('carol', undefined, null);
    const asCarol = await world.signIn(carol);
    for (const name of ['a', 'b', 'c']) await make({ name }, asCarol, carol);
    const query = { order: 'name', descending: false, limit: 2 } as const;
    const first = granted(await world.tokenManagement.list(asCarol, query));
    const second = granted(
      await world.tokenManagement.list(asCarol, { ...query, after: first.next ?? 'missing' }),
    );
    assert.deepEqual(
      [...first.items, ...second.items].map(({ name, ownerName }) => [name, ownerName]),
      ['a', 'b', 'c'].map((name) => [name, 'carol']),
    );
    assert.deepEqual([first.total, second.next], [3, null]);
  });

  test('edits, switches, regenerates, copies and revokes them, each in the trail with its name', async () => {
    const { token, value } = await make();
    const { id } = token;
    const { tokenManagement: own } = world;
    assert.equal(granted(await own.edit(asAlice, id, { name: 'tablet' })).name, 'tablet');
    assert.equal(granted(await own.setEnabled(asAlice, id, false)).state, 'disabled');
    assert.equal(await works(value), false);
    assert.equal(granted(await own.setEnabled(asAlice, id, true)).state, 'active');
    const again = granted(await own.regenerate(asAlice, id));
    assert.deepEqual([await works(value), await works(again.value), again.token.id], [false, true, id]);
    const copy = granted(await own.copy(asAlice, id, { name: 'copy' }));
    assert.notEqual(copy.token.id, id);
    assert.deepEqual([copy.token.name, copy.token.scopes], ['copy', ['*']]);
    const revoked = granted(await own.revoke(asAlice, id, 'lost it'));
    assert.deepEqual(
      [revoked.state, revoked.revokedBy, revoked.revokedWhy],
      ['revoked', 'user:alice', 'lost it'],
    );
    assert.equal(await works(again.value), false);
    assert.ok(await works(copy.value));
    const trail = await world.tokens.audit({ tokenId: id, limit: 10 });
    assert.deepEqual(
      trail.map(({ action, actor, details }) => [action, actor, details['address']]),
      ['token.revoke', 'token.rotate', 'token.enable', 'token.disable', 'token.edit', 'token.create'].map(
        (action) => [action, 'user:alice', callerAddress],
      ),
    );
  });

  test('gives an ended token a new end when it regenerates it', async () => {
    const { token } = await make({ expiresAt: clock.now() + dayMs });
    clock.advance(2 * dayMs);
    assert.equal(codeOf(await world.tokenManagement.regenerate(asAlice, token.id)), 'expired');
    const fresh = granted(await world.tokenManagement.regenerate(asAlice, token.id, clock.now() + dayMs));
    assert.ok(await works(fresh.value));
  });

  test('revokes twice without a complaint, and the first time counts', async () => {
    const { token } = await make();
    const first = granted(await world.tokenManagement.revoke(asAlice, token.id, 'first'));
    clock.advance(1_000);
    assert.deepEqual(granted(await world.tokenManagement.revoke(asRoot, token.id, 'second')), first);
  });

  test('is told that a revoked token can no longer be changed', async () => {
    const { token } = await make();
    await world.tokenManagement.revoke(asAlice, token.id);
    assert.equal(codeOf(await world.tokenManagement.edit(asAlice, token.id, { name: 'x' })), 'revoked');
    assert.equal(codeOf(await world.tokenManagement.setEnabled(asAlice, token.id, true)), 'revoked');
    assert.equal(codeOf(await world.tokenManagement.regenerate(asAlice, token.id)), 'revoked');
    assert.equal(codeOf(await world.tokenManagement.copy(asAlice, token.id, {})), 'granted');
  });

  test('who is disabled gets nothing that works', async () => {
    const dora = await world.user('dora', undefined, null);
    const asDora = await world.signIn(dora);
    const { token, value } = await make({}, asDora, dora);
    await world.users.change(tester, dora.id, { disabled: true });
    assert.equal(await works(value), false);
    const refusal = await world.tokenManagement.create(asRoot, dora.id, phone);
    assert.ok(isRefused(refusal) && refusal.code === 'owner_gone');
    assert.ok(!refusal.detail.includes('latchkey user'), 'advice for people, not for a command line');
    assert.equal(codeOf(await world.tokenManagement.copy(asRoot, token.id, {})), 'owner_gone');
    assert.equal(granted(await world.tokenManagement.get(asRoot, token.id)).state, 'user disabled');
  });

  test('cannot keep a token, controls or a novel as the reason of a revocation', async () => {
    const { token, value } = await make();
    for (const why of [`leaked ${value}`, 'a\nb', 'x'.repeat(201)]) {
      assert.equal(codeOf(await world.tokenManagement.revoke(asAlice, token.id, why)), 'bad_request');
      assert.equal(codeOf(await world.tokenManagement.revokeMany(asAlice, [token.id], why)), 'bad_request');
    }
    assert.ok(await works(value));
  });
});

describe('a version that was read before', () => {
  test('refuses an edit or a switch where the token has changed since', async () => {
    const { token } = await make();
    const { tokenManagement: own } = world;
    const edited = granted(await own.edit(asAlice, token.id, { name: 'new' }, token.version));
    assert.equal(edited.version, token.version + 1);
    assert.equal(codeOf(await own.edit(asAlice, token.id, { name: 'old' }, token.version)), 'stale');
    assert.equal(codeOf(await own.setEnabled(asAlice, token.id, false, token.version)), 'stale');
    assert.equal(granted(await own.setEnabled(asAlice, token.id, false, edited.version)).enabled, false);
  });

  test('lets exactly one of several edits through that come at once', async () => {
    const { token } = await make();
    const names = ['a', 'b', 'c', 'd', 'e'];
    const all = names.map((name) =>
      world.tokenManagement.edit(asAlice, token.id, { name }, token.version).then(codeOf),
    );
    assert.deepEqual((await Promise.all(all)).toSorted(), ['granted', 'stale', 'stale', 'stale', 'stale']);
  });
});

describe('revoking several', () => {
  test('revokes those that still count, each once', async () => {
    const [one, two, three] = [await make(), await make(), await make()];
    await world.tokenManagement.revoke(asAlice, two.token.id);
    const ids = [one, two, three, one].map(({ token }) => token.id);
    const revoked = granted(await world.tokenManagement.revokeMany(asAlice, ids));
    assert.deepEqual(revoked.map(({ id }) => id).toSorted(), [one.token.id, three.token.id].toSorted());
    for (const token of revoked) assert.equal(token.state, 'revoked');
  });

  test('revokes none where one is unknown or somebody else’s', async () => {
    const own = await make();
    const foreign = await make({}, asRoot, bob);
    for (const id of [foreign.token.id, '00000000-0000-7000-8000-000000000000' as TokenId]) {
      assert.equal(codeOf(await world.tokenManagement.revokeMany(asAlice, [own.token.id, id])), 'not_found');
    }
    assert.ok(await works(own.value));
  });

  test('takes at most 1,000', async () => {
    const ids = Array.from({ length: 1_001 }, () => asAlice.user.id as string as TokenId);
    assert.equal(codeOf(await world.tokenManagement.revokeMany(asAlice, ids)), 'bad_request');
    assert.deepEqual(await world.tokenManagement.revokeMany(asAlice, []), []);
  });
});

describe('an admin, and a key for tokens', () => {
  test('make, see, check and remove tokens of anybody', async () => {
    for (const caller of [asRoot, await world.key('tokens')]) {
      const fresh = granted(await world.tokenManagement.create(caller, bob.id, phone));
      assert.ok(await works(fresh.value));
      assert.equal(fresh.token.ownerName, 'bob');
      assert.equal(granted(await world.tokenManagement.get(caller, fresh.token.id)).state, 'active');
      const listed = granted(
        await world.tokenManagement.list(caller, { ...byCreation, userId: bob.id }),
      ).items.map(({ id }) => id);
      assert.ok(listed.includes(fresh.token.id));
      granted(await world.tokenManagement.revoke(caller, fresh.token.id));
      assert.equal(await works(fresh.value), false);
    }
  });

  test('see everybody’s where they name nobody', async () => {
    await make();
    await make({}, asRoot, bob);
    for (const caller of [asRoot, await world.key('tokens')]) {
      const owners = granted(await world.tokenManagement.list(caller, byCreation)).items;
      assert.ok(new Set(owners.map(({ ownerName }) => ownerName)).size > 1);
    }
  });

  test('are named in the trail: a key by its name', async () => {
    const key = await world.key('tokens');
    const { token } = granted(await world.tokenManagement.create(key, bob.id, phone));
    const event = await lastEvent(token.id);
    assert.deepEqual([event?.actor, token.createdBy], [`key:${key.key.name}`, `key:${key.key.name}`]);
  });

  test('cannot make any for somebody who does not exist', async () => {
    const { id } = await world.user('gone', undefined, null);
    await world.users.remove(tester, id);
    for (const caller of [asRoot, await world.key('tokens')]) {
      assert.equal(codeOf(await world.tokenManagement.create(caller, id, phone)), 'not_found');
    }
  });

  const byCreation = { order: 'created', descending: true, limit: 1_000 } as const;
});

describe('the policy', () => {
  const strict = { lifeMsMax: 30 * dayMs, expiryRequired: true, scopes: ['path:/dav/{user}/:rw'] };
  const allowed = (): TokenSettings => ({
    scopes: ['path:/dav/{user}/x/:r'],
    expiresAt: clock.now() + dayMs,
  });

  test('binds what people, admins and keys make, and not the command line', async () => {
    await world.setPolicy(strict);
    try {
      for (const caller of [asAlice, asRoot, await world.key('tokens')]) {
        const create = (settings: TokenSettings) =>
          world.tokenManagement.create(caller, alice.id, { ...phone, ...settings }).then(codeOf);
        assert.equal(await create({}), 'policy');
        assert.equal(await create({ ...allowed(), expiresAt: clock.now() + 31 * dayMs }), 'policy');
        assert.equal(await create({ ...allowed(), scopes: ['path:/dav/bob/:r'] }), 'policy');
        assert.equal(await create(allowed()), 'granted');
      }
      assert.equal((await world.lifecycle.create(tester, alice, phone)).kind, 'minted');
    } finally {
      await world.setPolicy({});
    }
  });

  test('binds edits, regeneration and copies of tokens made before it', async () => {
    const { token } = await make();
    await world.setPolicy(strict);
    try {
      const { tokenManagement: own } = world;
      assert.equal(codeOf(await own.edit(asAlice, token.id, { name: 'renamed' })), 'granted');
      assert.equal(codeOf(await own.edit(asAlice, token.id, { scopes: ['path:/:r'] })), 'policy');
      assert.equal(codeOf(await own.regenerate(asAlice, token.id)), 'policy');
      assert.equal(codeOf(await own.copy(asAlice, token.id, {})), 'policy');
      assert.equal(codeOf(await own.copy(asAlice, token.id, allowed())), 'granted');
      const soon = clock.now() + dayMs;
      assert.equal(codeOf(await own.regenerate(asAlice, token.id, soon)), 'policy', 'it reaches too far');
      assert.equal(codeOf(await own.edit(asAlice, token.id, { scopes: ['path:/dav/{user}/:r'] })), 'granted');
      assert.equal(codeOf(await own.regenerate(asAlice, token.id, soon)), 'granted');
    } finally {
      await world.setPolicy({});
    }
  });

  test('may have new tokens start off, until they are switched on', async () => {
    await world.setPolicy({ startsEnabled: false });
    try {
      const { token, value } = await make();
      assert.deepEqual([token.enabled, token.state, await works(value)], [false, 'disabled', false]);
      granted(await world.tokenManagement.setEnabled(asAlice, token.id, true));
      assert.ok(await works(value));
      assert.equal(granted(await world.tokenManagement.copy(asAlice, token.id, {})).token.enabled, false);
      assert.equal(granted(await world.tokenManagement.regenerate(asAlice, token.id)).token.enabled, true);
    } finally {
      await world.setPolicy({});
    }
  });

  test('says who may have tokens, and an admin says otherwise for one', async () => {
    const may = async (person: Person): Promise<boolean> =>
      (await world.tokenManagement.policyFor(person)).mayHaveTokens;
    assert.equal(await may(asAlice), true);
    const [never, always] = [
      await world.signIn(await world.user('never', { mayHaveTokens: false }, null)),
      await world.signIn(await world.user('always', { mayHaveTokens: true }, null)),
    ];
    assert.equal(await may(never), false);
    await world.setPolicy({ everybodyMayHaveTokens: false });
    try {
      assert.deepEqual([await may(asAlice), await may(always)], [false, true]);
      assert.equal(codeOf(await world.tokenManagement.create(asAlice, alice.id, phone)), 'policy');
      assert.equal(codeOf(await world.tokenManagement.create(asRoot, alice.id, phone)), 'policy');
      assert.equal(codeOf(await world.tokenManagement.create(always, always.user.id, phone)), 'granted');
    } finally {
      await world.setPolicy({});
    }
  });

  test('leaves those who may have none their list, off, revoke and what narrows', async () => {
    const eve = await world.user('eve', undefined, null);
    const asEve = await world.signIn(eve);
    const { token, value } = await make({ expiresAt: clock.now() + 10 * dayMs }, asEve, eve);
    const other = await make({}, asEve, eve);
    await world.users.change(tester, eve.id, { mayHaveTokens: false });
    const { tokenManagement: own } = world;
    const { id } = token;
    for (const caller of [asEve, asRoot]) {
      assert.equal(codeOf(await own.create(caller, eve.id, phone)), 'policy');
      assert.equal(codeOf(await own.copy(caller, id, {})), 'policy');
      assert.equal(codeOf(await own.regenerate(caller, id)), 'policy');
      assert.equal(codeOf(await own.edit(caller, id, { expiresAt: clock.now() + 20 * dayMs })), 'policy');
      assert.equal(codeOf(await own.edit(caller, id, { expiresAt: null })), 'policy');
    }
    assert.equal(
      codeOf(await own.edit(asEve, id, { name: 'old', expiresAt: clock.now() + dayMs })),
      'granted',
    );
    assert.ok(await works(value), 'what there is goes on working');
    assert.equal(codeOf(await own.setEnabled(asEve, id, false)), 'granted');
    assert.equal(codeOf(await own.setEnabled(asEve, id, true)), 'policy');
    assert.equal(codeOf(await own.revoke(asEve, other.token.id)), 'granted');
    const query = { order: 'created', descending: true, limit: 10 } as const;
    assert.equal(granted(await own.list(asEve, query)).items.length, 1);
  });

  test('is read and replaced by admins and keys for tokens alone, from the version that was read', async () => {
    const key = await world.key('tokens');
    for (const caller of [asAlice, await world.key('users', 'audit')]) {
      assert.equal(codeOf(await world.tokenManagement.readPolicy(caller)), 'not_allowed');
      assert.equal(codeOf(await world.tokenManagement.replacePolicy(caller, openPolicy, 0)), 'not_allowed');
    }
    const { version } = granted(await world.tokenManagement.readPolicy(asRoot));
    const wished = { ...openPolicy, scopes: ['path:/a b/:r'] };
    const kept = granted(await world.tokenManagement.replacePolicy(key, wished, version));
    assert.deepEqual(
      [kept.version, kept.policy.scopes, kept.changedBy],
      [version + 1, ['path:/a%20b/:r'], `key:${key.key.name}`],
    );
    assert.equal(codeOf(await world.tokenManagement.replacePolicy(asRoot, openPolicy, version)), 'stale');
    const bad = { ...openPolicy, lifeMsMax: 5 };
    assert.equal(codeOf(await world.tokenManagement.replacePolicy(asRoot, bad, version + 1)), 'bad_request');
    granted(await world.tokenManagement.replacePolicy(asRoot, openPolicy, version + 1));
    const [event] = (await world.tokens.searchAudit({ action: 'policy.replace', limit: 1 })).items;
    assert.deepEqual([event?.actor, event?.details['address']], ['user:root', callerAddress]);
  });
});

describe('a page of tokens', () => {
  test('holds 1 to 1,000', async () => {
    for (const limit of [0, -1, 1.5, 1_001, Number.NaN]) {
      const query = { order: 'created', descending: true, limit } as const;
      assert.equal(codeOf(await world.tokenManagement.list(asAlice, query)), 'bad_request');
    }
  });
});
