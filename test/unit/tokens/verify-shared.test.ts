import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import type { SharedCache } from '../../../src/tokens/shared-cache.ts';
import { fakeSharedCache } from '../../contract/shared-cache-fake.ts';
import { tester, type TokenWorld } from '../../support/token-world.ts';
import { type WatchedStore, watchStore } from './watched-store.ts';

let watched: WatchedStore;
beforeEach(async () => {
  watched = await watchStore();
});
afterEach(() => watched.close());

describe('the shared cache', () => {
  let shared: SharedCache;
  let writes: Map<string, string>;
  let here: TokenWorld;
  let there: TokenWorld;
  let alice: UserRecord;
  beforeEach(async () => {
    const cache = fakeSharedCache(() => watched.clock.monotonic());
    writes = new Map();
    shared = {
      ...cache,
      set(key, value, ttlMs) {
        writes.set(key, value);
        return cache.set(key, value, ttlMs);
      },
    };
    here = await watched.open({ shared });
    there = await watched.open({ shared });
    alice = await here.addUser('alice');
  });

  test('spares other processes the store', async () => {
    const { value } = await here.mint(alice, { scopes: ['path:/a/:r'], networks: ['192.0.2.0/24'] });
    const first = await here.bearer(value);
    const second = await there.bearer(value);
    assert.deepEqual(second, { ...first, tier: 'redis' });
    assert.equal((await there.bearer(value)).tier, 'l1');
    assert.equal(watched.lookUps(), 1);
  });

  test('holds neither token nor digest of use to a thief, and only sealed facts', async () => {
    const { value } = await here.mint(alice);
    await here.bearer(value);
    const text = JSON.stringify([...writes]);
    assert.ok(text.includes(alice.id));
    assert.ok(!text.includes(value));
    assert.ok(!text.includes(value.slice(3, 39)));
  });

  test('is not believed where an entry was altered or moved to another key', async () => {
    const [mine, yours] = [await here.mint(alice), await here.mint(await here.addUser('bob'))];
    await here.bearer(mine.value);
    await here.bearer(yours.value);
    const [[mineKey, mineText], [yoursKey, yoursText]] = [...writes] as [[string, string], [string, string]];
    await shared.set(yoursKey, mineText, 60_000);
    await shared.set(mineKey, mineText.replace('"*"', '"path:/:rw"'), 60_000);
    assert.notEqual(mineText, yoursText);
    assert.equal((await there.bearer(mine.value)).tier, 'store');
    const verification = await there.bearer(yours.value);
    assert.equal(verification.tier, 'store');
    assert.equal(verification.kind === 'verified' && verification.principal.userName, 'bob');
  });

  test('is not believed where it holds nonsense', async () => {
    const { value } = await here.mint(alice);
    await here.bearer(value);
    for (const nonsense of ['', ' ', '{}', 'p1  null', 'p1 x {"readAt":1}', 'constructor x y']) {
      for (const key of writes.keys()) await shared.set(key, nonsense, 60_000);
      const fresh = await watched.open({ shared });
      assert.equal((await fresh.bearer(value)).tier, 'store');
    }
  });

  test('loses the entry of a revoked token, and an entry that comes back is not believed', async () => {
    const { value, token } = await here.mint(alice);
    await here.bearer(value);
    const [[key, text]] = [...writes] as [[string, string]];
    const { journal } = there;
    await here.lifecycle.revoke(tester, [token.id], 'lost');
    assert.equal(await shared.get(key), null);
    // A process that was slow writes what it had read before.
    await shared.set(key, text, 600_000);
    journal.changed([{ kind: 'token', tokenId: token.id, version: 2 }]);
    const verification = await there.bearer(value);
    assert.equal(verification.kind === 'refused' && verification.reason, 'revoked');
  });

  test('a process that read before the revocation does not write it there after', async () => {
    const { value, token } = await here.mint(alice);
    const { letGo, untilHeld } = watched.holdAnswers();
    const verification = here.bearer(value);
    await untilHeld(1);
    await here.lifecycle.revoke(tester, [token.id], 'lost');
    letGo();
    await verification;
    assert.equal(writes.size, 1);
    assert.match([...writes.values()][0] ?? '', /"revoked":true/);
  });

  test('a process that took long to read does not write what it read', async () => {
    const { value } = await here.mint(alice);
    const { letGo, untilHeld } = watched.holdAnswers();
    const verification = here.bearer(value);
    await untilHeld(1);
    watched.clock.advance(5_000);
    here.journal.heard();
    letGo();
    await verification;
    assert.equal(writes.size, 0);
  });

  test('is not believed ten minutes after the entry was read, whatever its own clock says', async () => {
    const { value } = await here.mint(alice);
    await here.bearer(value);
    const [[key, text]] = [...writes] as [[string, string]];
    watched.clock.advance(600_001);
    there.journal.heard();
    await shared.set(key, text, 600_000);
    assert.equal((await there.bearer(value)).tier, 'store');
  });

  test('is not asked after a gap until what was missed has run out', async () => {
    const { value } = await here.mint(alice);
    await here.bearer(value);
    there.journal.gap();
    there.journal.heard();
    assert.equal((await there.bearer(value)).tier, 'store');
  });

  test('a tier that fails in every way only costs time', async () => {
    const away: SharedCache = {
      get: () => Promise.resolve(null),
      set: () => Promise.resolve(),
      delete: () => Promise.resolve(false),
    };
    const world = await watched.open({ shared: away });
    const { value, token } = await world.mint(alice);
    assert.equal((await world.bearer(value)).kind, 'verified');
    await world.lifecycle.revoke(tester, [token.id], 'lost');
    assert.equal((await world.bearer(value)).kind, 'refused');
  });

  test('an entry does not outlive its token', async () => {
    const ttls: number[] = [];
    const counting: SharedCache = {
      ...shared,
      set(key, value, ttlMs) {
        ttls.push(ttlMs);
        return shared.set(key, value, ttlMs);
      },
    };
    const world = await watched.open({ shared: counting });
    const { value } = await world.mint(alice, { expiresAt: watched.clock.now() + 7_000 });
    await world.bearer(value);
    assert.deepEqual(ttls, [7_000]);
  });
});

describe('peppers', () => {
  const [old, young] = [
    { id: 'p1', secret: 'an older pepper' },
    { id: 'p2', secret: 'a younger pepper' },
  ];

  test('an older one is understood, and replaced on use', async () => {
    const before = await watched.open({ peppers: [old] });
    const { value, token } = await before.mint(await before.addUser('alice'));
    const between = await watched.open({ peppers: [young, old] });
    assert.equal((await between.bearer(value)).kind, 'verified');
    await between.lastUse.drain();
    const stored = await between.tokens.get(token.id);
    assert.equal(stored?.token.pepperId, 'p2');
    assert.equal(stored?.token.version, 1);
    const after = await watched.open({ peppers: [young] });
    assert.equal((await after.bearer(value)).kind, 'verified');
  });

  test('one that is not known makes its tokens unknown', async () => {
    const before = await watched.open({ peppers: [old] });
    const { value } = await before.mint(await before.addUser('alice'));
    const after = await watched.open({ peppers: [young] });
    const verification = await after.bearer(value);
    assert.equal(verification.kind === 'refused' && verification.reason, 'unknown');
  });
});
