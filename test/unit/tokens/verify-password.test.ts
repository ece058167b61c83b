import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { UserRecord, UserStore } from '../../../src/identity/user-store.ts';
import { fakeSharedCache } from '../../contract/shared-cache-fake.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { openTokenWorld, tester, type TokenWorld } from '../../support/token-world.ts';

const password = 'correct horse battery staple';
const allowed = { mainPassword: true };

let scratch: Scratch;
let clock: SteppedClock;
let world: TokenWorld;
let alice: UserRecord;
let lookUps: number;

async function verdict(user: string, secret: string, on = world): Promise<string> {
  const verification = await on.basic(user, secret, allowed);
  return verification.kind === 'verified' ? `verified by ${verification.tier}` : verification.reason;
}

describe('the main password', () => {
  const shared = fakeSharedCache(() => clock.monotonic());
  const wrapUserStore = (store: UserStore): UserStore => ({
    ...store,
    findByName(nameKey) {
      lookUps++;
      return store.findByName(nameKey);
    },
  });
  beforeEach(async () => {
    scratch = await makeScratch('verify-password');
    clock = steppedClock();
    lookUps = 0;
    world = await openTokenWorld({ path: scratch.file('latchkey.db'), clock, shared, wrapUserStore });
    alice = await world.addUser('Alice', password);
  });
  afterEach(async () => {
    world.database.close();
    await scratch.remove();
  });

  test('is refused without being looked at, unless the route allows it', async () => {
    const verification = await world.basic('alice', password, { mainPassword: false });
    assert.deepEqual(verification, { kind: 'refused', reason: 'password_refused', tier: 'none' });
    assert.equal(lookUps, 0);
  });

  test('speaks for the user with no token and every scope', async () => {
    const verification = await world.basic('ALICE', password, allowed);
    assert.deepEqual(verification.kind === 'verified' && verification.principal, {
      userId: alice.id,
      userName: 'Alice',
      tokenId: null,
      scopes: [{ kind: 'everything' }],
    });
  });

  test('is hashed once a minute, however often it is used and by however many at once', async () => {
    await Promise.all([verdict('alice', password), verdict('Alice', password)]);
    assert.equal(await verdict('alice', password), 'verified by l1');
    assert.equal(lookUps, 1);
    clock.advance(60_000);
    world.journal.heard();
    assert.equal(await verdict('alice', password), 'verified by store');
  });

  test('in silence is looked up for every request, but not hashed again while the user is unchanged', async () => {
    await verdict('alice', password);
    clock.advance(4_001);
    // Far more at once than may hash or wait.
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => verdict('alice', password)));
    assert.deepEqual(new Set(verdicts), new Set(['verified by store']));
    const before = lookUps;
    await verdict('alice', password);
    assert.equal(lookUps, before + 1);
    await world.users.setPassword(tester, alice.id, 'another password');
    assert.equal(await verdict('alice', password), 'wrong_password');
  });

  test('is remembered for other processes', async () => {
    await verdict('alice', password);
    const path = scratch.file('latchkey.db');
    const there = await openTokenWorld({ path, clock, shared, wrapUserStore });
    assert.equal(await verdict('alice', password, there), 'verified by redis');
    there.database.close();
  });

  test('wrong, of an unknown user, or of a user without one is refused and remembered for five seconds', async () => {
    await world.addUser('tokens-only');
    for (const user of ['alice', 'nobody', 'tokens-only', '']) {
      const before = lookUps;
      assert.equal(await verdict(user, 'a wrong password'), 'wrong_password');
      assert.equal(await verdict(user, 'a wrong password'), 'wrong_password');
      assert.equal(lookUps, before + 1, user);
    }
    clock.advance(5_000);
    world.journal.heard();
    const before = lookUps;
    await verdict('alice', 'a wrong password');
    assert.equal(lookUps, before + 1);
  });

  test('cannot be shifted between user name and password', async () => {
    await verdict('alice', password);
    assert.equal(await verdict(`alice${password[0]}`, password.slice(1)), 'wrong_password');
    assert.equal(await verdict('5:alice', password), 'wrong_password');
  });

  test('that was changed is refused at once', async () => {
    await verdict('alice', password);
    await world.users.setPassword(tester, alice.id, 'another password');
    assert.equal(await verdict('alice', password), 'wrong_password');
    assert.equal(await verdict('alice', 'another password'), 'verified by store');
  });

  test('of a disabled user is refused at once, and like a wrong one: remembered no longer', async () => {
    await verdict('alice', password);
    await world.users.change(tester, alice.id, { disabled: true });
    for (const secret of [password, 'a wrong password']) {
      const before = lookUps;
      for (let tries = 0; tries < 3; tries++) assert.equal(await verdict('alice', secret), 'wrong_password');
      assert.equal(lookUps - before, 1, secret);
      clock.advance(5_001);
      world.journal.heard();
      assert.equal(await verdict('alice', secret), 'wrong_password');
      assert.equal(lookUps - before, 2, secret);
    }
  });

  test('that is longer than anyone types is refused without being looked at', async () => {
    assert.equal(await verdict('alice', 'x'.repeat(1_025)), 'wrong_password');
    assert.equal(lookUps, 0);
  });

  test('beyond the queue is a fault of ours, not a verdict', async () => {
    const tries = Array.from({ length: 20 }, (_, at) => world.basic('alice', `guess ${at}`, allowed));
    const outcomes = await Promise.allSettled(tries);
    const faults = outcomes.filter(({ status }) => status === 'rejected');
    // Two at work and eight waiting.
    assert.equal(faults.length, 10);
    for (const fault of faults) assert.equal((fault as PromiseRejectedResult).reason.code, 'overloaded');
    assert.equal(await verdict('alice', password), 'verified by store');
  });
});
