import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Fault } from '../../../src/core/errors.ts';
import { systemRandom } from '../../../src/core/random.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import { mintToken } from '../../../src/tokens/mint.ts';
import type { SharedCache } from '../../../src/tokens/shared-cache.ts';
import type { TokenStore } from '../../../src/tokens/token-store.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { openTokenWorld, tester, type TokenWorld, type WorldOptions } from '../../support/token-world.ts';
import { fakeSharedCache } from '../../contract/shared-cache-fake.ts';

type Find = TokenStore['findByDigests'];

/** What happens to look-ups on their way to the store. */
interface Interference {
  lookUps: number;
  find: (real: Find) => Find;
}

let scratch: Scratch;
let clock: SteppedClock;
let interference: Interference;
const opened: TokenWorld[] = [];

async function openWorld(options: Partial<WorldOptions> = {}): Promise<TokenWorld> {
  const wrapStore = (store: TokenStore): TokenStore => ({
    ...store,
    findByDigests(digests) {
      interference.lookUps++;
      return interference.find((wanted) => store.findByDigests(wanted))(digests);
    },
  });
  const world = await openTokenWorld({ path: scratch.file('latchkey.db'), clock, wrapStore, ...options });
  opened.push(world);
  return world;
}

beforeEach(async () => {
  scratch = await makeScratch('verify-caching');
  clock = steppedClock();
  interference = { lookUps: 0, find: (real) => real };
});
afterEach(async () => {
  for (const { database } of opened.splice(0)) database.close();
  await scratch.remove();
});

/** Holds look-ups back after the store has answered, until let go. */
function holdAnswers(): { readonly letGo: () => void; readonly held: () => number } {
  const gate = Promise.withResolvers<void>();
  let held = 0;
  interference.find = (real) => async (digests) => {
    const found = await real(digests);
    held++;
    await gate.promise;
    return found;
  };
  const letGo = (): void => {
    interference.find = (real) => real;
    gate.resolve();
  };
  return { letGo, held: () => held };
}

async function untilHeld(held: () => number, count: number): Promise<void> {
  while (held() < count) await turn();
}

describe('memory', () => {
  let world: TokenWorld;
  let alice: UserRecord;
  beforeEach(async () => {
    world = await openWorld();
    alice = await world.addUser('alice');
  });

  test('asks the store once a minute for a token in use', async () => {
    const { value } = await world.mint(alice);
    for (let second = 0; second < 60; second++) {
      await world.bearer(value);
      clock.advance(1_000);
      world.journal.heard();
    }
    assert.equal(interference.lookUps, 1);
    assert.equal((await world.bearer(value)).tier, 'store');
    assert.equal(interference.lookUps, 2);
  });

  test('asks the store once for many requests that come at the same time', async () => {
    const { value } = await world.mint(alice);
    const answers = await Promise.all(Array.from({ length: 100 }, () => world.bearer(value)));
    assert.ok(answers.every(({ kind }) => kind === 'verified'));
    assert.equal(interference.lookUps, 1);
  });

  test('gives concurrent requests of different clients their own verdicts from one look-up', async () => {
    const { value } = await world.mint(alice, { networks: ['192.0.2.0/24'] });
    const [inside, outside, stranger] = await Promise.all([
      world.bearer(value),
      world.bearer(value, { clientAddress: '203.0.113.1' }),
      world.basic('mallory', value),
    ]);
    assert.equal(inside.kind, 'verified');
    assert.equal(outside.kind === 'refused' && outside.reason, 'network');
    assert.equal(stranger.kind === 'refused' && stranger.reason, 'wrong_user');
    assert.equal(interference.lookUps, 1);
  });

  test('remembers for five seconds that nobody has a token', async () => {
    const stranger = mintToken(systemRandom);
    for (let tries = 0; tries < 3; tries++) assert.equal((await world.bearer(stranger)).kind, 'refused');
    assert.equal(interference.lookUps, 1);
    clock.advance(5_000);
    world.journal.heard();
    await world.bearer(stranger);
    assert.equal(interference.lookUps, 2);
  });

  test('never asks the store about a malformed token', async () => {
    for (const secret of ['', 'lk_', `lk_${'a'.repeat(42)}`, 'x'.repeat(10_000)]) await world.bearer(secret);
    assert.equal(interference.lookUps, 0);
  });

  test('does not answer after four seconds of silence, and asks the store for every request', async () => {
    const { value } = await world.mint(alice);
    await world.bearer(value);
    clock.advance(4_001);
    for (let requests = 0; requests < 3; requests++) {
      assert.equal((await world.bearer(value)).tier, 'store');
    }
    assert.equal(interference.lookUps, 4);
    world.journal.heard();
    assert.equal((await world.bearer(value)).tier, 'l1');
  });

  test('does not answer where only the wall clock shows the silence, as after a suspend', async () => {
    const { value } = await world.mint(alice);
    await world.bearer(value);
    clock.stepWall(4_001);
    assert.equal((await world.bearer(value)).tier, 'store');
  });

  test('in silence, a revocation by another process is honoured by the next request', async () => {
    const { value, token } = await world.mint(alice);
    const other = await openWorld();
    await world.bearer(value);
    clock.advance(4_001);
    await other.lifecycle.revoke(tester, [token.id], 'lost');
    const verification = await world.bearer(value);
    assert.equal(verification.kind === 'refused' && verification.reason, 'revoked');
  });

  test('in silence and with the store away, the answer is a fault, not a verdict', async () => {
    const { value } = await world.mint(alice);
    await world.bearer(value);
    clock.advance(4_001);
    interference.find = () => async () => {
      throw new Fault('store_unavailable', 'The store is away.');
    };
    await assert.rejects(world.bearer(value), { code: 'store_unavailable' });
  });

  test('with the store away, what is remembered goes on while a channel is heard', async () => {
    const { value } = await world.mint(alice);
    await world.bearer(value);
    interference.find = () => async () => {
      throw new Fault('store_unavailable', 'The store is away.');
    };
    assert.equal((await world.bearer(value)).kind, 'verified');
    await assert.rejects(world.bearer(mintToken(systemRandom)), { code: 'store_unavailable' });
  });

  test('a failed look-up is not remembered', async () => {
    const { value } = await world.mint(alice);
    interference.find = () => async () => {
      throw new Fault('store_unavailable', 'The store is away.');
    };
    await assert.rejects(world.bearer(value), Fault);
    interference.find = (real) => real;
    assert.equal((await world.bearer(value)).kind, 'verified');
  });

  test('a gap drops everything', async () => {
    const { value } = await world.mint(alice);
    await world.bearer(value);
    world.journal.gap();
    world.journal.heard();
    assert.equal((await world.bearer(value)).tier, 'store');
  });
});

describe('a look-up in flight', () => {
  let world: TokenWorld;
  let alice: UserRecord;
  beforeEach(async () => {
    world = await openWorld();
    alice = await world.addUser('alice');
  });

  test('that read the token before its revocation refuses it after', async () => {
    const { value, token } = await world.mint(alice);
    const { letGo, held } = holdAnswers();
    const verification = world.bearer(value);
    await untilHeld(held, 1);
    await world.lifecycle.revoke(tester, [token.id], 'lost');
    letGo();
    const verdict = await verification;
    assert.equal(verdict.kind === 'refused' && verdict.reason, 'revoked');
    const next = await world.bearer(value);
    assert.equal(next.kind === 'refused' && next.reason, 'revoked');
  });

  test('that read the owner before it was disabled refuses it after', async () => {
    const { value } = await world.mint(alice);
    const { letGo, held } = holdAnswers();
    const verification = world.bearer(value);
    await untilHeld(held, 1);
    await world.users.setDisabled('test', alice.id, true);
    letGo();
    const verdict = await verification;
    assert.equal(verdict.kind === 'refused' && verdict.reason, 'user_disabled');
  });

  test('that spans a gap is repeated', async () => {
    const { value } = await world.mint(alice);
    const { letGo, held } = holdAnswers();
    const verification = world.bearer(value);
    await untilHeld(held, 1);
    world.journal.gap();
    letGo();
    assert.equal((await verification).kind, 'verified');
    assert.equal(interference.lookUps, 2);
  });

  test('that began in silence is not kept', async () => {
    const { value } = await world.mint(alice);
    clock.advance(4_001);
    const { letGo, held } = holdAnswers();
    const verification = world.bearer(value);
    await untilHeld(held, 1);
    world.journal.heard();
    letGo();
    assert.equal((await verification).kind, 'verified');
    assert.equal((await world.bearer(value)).tier, 'store');
  });

  test('that hangs does not hold those who come a second later', async () => {
    const { value } = await world.mint(alice);
    const { letGo, held } = holdAnswers();
    const hanging = world.bearer(value);
    await untilHeld(held, 1);
    interference.find = (real) => real;
    clock.advance(1_000);
    assert.equal((await world.bearer(value)).kind, 'verified');
    letGo();
    await hanging;
  });

  test('that keeps finding an older state than announced ends in a fault', async () => {
    const { value, token } = await world.mint(alice);
    world.freshness.apply([{ kind: 'token', tokenId: token.id, version: 9 }]);
    await assert.rejects(world.bearer(value), { code: 'store_unavailable' });
  });
});

describe('the shared cache', () => {
  let shared: SharedCache;
  let writes: Map<string, string>;
  let here: TokenWorld;
  let there: TokenWorld;
  let alice: UserRecord;
  beforeEach(async () => {
    const cache = fakeSharedCache(() => clock.monotonic());
    writes = new Map();
    shared = {
      ...cache,
      set(key, value, ttlMs) {
        writes.set(key, value);
        return cache.set(key, value, ttlMs);
      },
    };
    here = await openWorld({ shared });
    there = await openWorld({ shared });
    alice = await here.addUser('alice');
  });

  test('spares other processes the store', async () => {
    const { value } = await here.mint(alice, { scopes: ['path:/a/:r'], networks: ['192.0.2.0/24'] });
    const first = await here.bearer(value);
    const second = await there.bearer(value);
    assert.deepEqual(second, { ...first, tier: 'redis' });
    assert.equal((await there.bearer(value)).tier, 'l1');
    assert.equal(interference.lookUps, 1);
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
      const fresh = await openWorld({ shared });
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
    const { letGo, held } = holdAnswers();
    const verification = here.bearer(value);
    await untilHeld(held, 1);
    await here.lifecycle.revoke(tester, [token.id], 'lost');
    letGo();
    await verification;
    assert.equal(writes.size, 1);
    assert.match([...writes.values()][0] ?? '', /"revoked":true/);
  });

  test('a process that took long to read does not write what it read', async () => {
    const { value } = await here.mint(alice);
    const { letGo, held } = holdAnswers();
    const verification = here.bearer(value);
    await untilHeld(held, 1);
    clock.advance(5_000);
    here.journal.heard();
    letGo();
    await verification;
    assert.equal(writes.size, 0);
  });

  test('is not believed ten minutes after the entry was read, whatever its own clock says', async () => {
    const { value } = await here.mint(alice);
    await here.bearer(value);
    const [[key, text]] = [...writes] as [[string, string]];
    clock.advance(600_001);
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
    const world = await openWorld({ shared: away });
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
    const world = await openWorld({ shared: counting });
    const { value } = await world.mint(alice, { expiresAt: clock.now() + 7_000 });
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
    const before = await openWorld({ peppers: [old] });
    const { value, token } = await before.mint(await before.addUser('alice'));
    const between = await openWorld({ peppers: [young, old] });
    assert.equal((await between.bearer(value)).kind, 'verified');
    await between.lastUse.drain();
    const stored = await between.tokens.get(token.id);
    assert.equal(stored?.token.pepperId, 'p2');
    assert.equal(stored?.token.version, 1);
    const after = await openWorld({ peppers: [young] });
    assert.equal((await after.bearer(value)).kind, 'verified');
  });

  test('one that is not known makes its tokens unknown', async () => {
    const before = await openWorld({ peppers: [old] });
    const { value } = await before.mint(await before.addUser('alice'));
    const after = await openWorld({ peppers: [young] });
    const verification = await after.bearer(value);
    assert.equal(verification.kind === 'refused' && verification.reason, 'unknown');
  });
});
