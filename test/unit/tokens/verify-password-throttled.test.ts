import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { UserRecord, UserStore } from '../../../src/identity/user-store.ts';
import { fakeSharedCache } from '../../contract/shared-cache-fake.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { openTokenWorld, tester, type TokenWorld, type WorldOptions } from '../../support/token-world.ts';

const password = 'correct horse battery staple';
const attacker = '198.51.100.7';
const guessLimits = { perAccount: 3, perClient: 6, windowMs: 900_000 };

let scratch: Scratch;
let clock: SteppedClock;
let world: TokenWorld;
let alice: UserRecord;
/** Passwords that were hashed: each begins with looking up its user. */
let hashed: number;

/** Verifies as decide() does: what is refused is taken note of. */
async function verdict(
  user: string,
  secret: string,
  clientAddress = '192.0.2.1',
  on = world,
): Promise<string> {
  const verification = await on.basic(user, secret, { clientAddress, mainPassword: true });
  if (verification.kind === 'verified') return `verified by ${verification.tier}`;
  on.guesses.refused({ channel: 'basic', user, secret }, clientAddress, verification.reason);
  return verification.reason;
}

async function guess(count: number, user: string, clientAddress: string): Promise<string[]> {
  const verdicts: string[] = [];
  for (let at = 0; at < count; at++) verdicts.push(await verdict(user, `wrong ${at}`, clientAddress));
  return verdicts;
}

describe('a main password, beyond the limit of wrong ones,', () => {
  let options: WorldOptions;
  beforeEach(async () => {
    scratch = await makeScratch('verify-password-throttled');
    clock = steppedClock();
    hashed = 0;
    const wrapUserStore = (store: UserStore): UserStore => ({
      ...store,
      findByName(nameKey) {
        hashed++;
        return store.findByName(nameKey);
      },
    });
    const shared = fakeSharedCache(() => clock.monotonic());
    options = { path: scratch.file('latchkey.db'), clock, shared, wrapUserStore, guessLimits };
    world = await openTokenWorld(options);
    alice = await world.addUser('Alice', password);
    hashed = 0;
  });
  afterEach(async () => {
    world.database.close();
    await scratch.remove();
  });

  test('is refused before it is hashed, right or wrong', async () => {
    const wrong = 'wrong_password';
    assert.deepEqual(await guess(5, 'alice', attacker), [wrong, wrong, wrong, 'throttled', 'throttled']);
    assert.equal(await verdict('ALICE', password), 'throttled');
    assert.equal(hashed, 3);
  });

  test('is hashed again once the window is over', async () => {
    await guess(4, 'alice', attacker);
    clock.advance(900_000);
    world.journal.heard();
    assert.equal(await verdict('alice', password), 'verified by store');
  });

  test('passes as long as it is cached', async () => {
    assert.equal(await verdict('alice', password), 'verified by store');
    await guess(4, 'alice', attacker);
    assert.equal(await verdict('alice', password), 'verified by l1');
    assert.equal(await verdict('alice', password, attacker), 'verified by l1');
  });

  test('passes and is hashed again where it was right before: a storm locks nobody out', async () => {
    await verdict('alice', password);
    await guess(4, 'alice', attacker);
    clock.advance(120_000);
    world.journal.heard();
    assert.equal(await verdict('alice', password), 'verified by store');
  });

  test('passes where another process has found it right just now', async () => {
    const there = await openTokenWorld(options);
    await verdict('alice', password, '192.0.2.1', there);
    await guess(4, 'alice', attacker);
    assert.equal(await verdict('alice', password), 'verified by redis');
    there.database.close();
  });

  test('that was right before and was changed is a guess like any other', async () => {
    await verdict('alice', password);
    await world.users.setPassword(tester, alice.id, 'another password');
    assert.equal(await verdict('alice', password), 'wrong_password');
    await guess(3, 'alice', attacker);
    clock.advance(6_000);
    world.journal.heard();
    assert.equal(await verdict('alice', password), 'throttled');
  });

  test('is refused also where the wrong ones come all at once', async () => {
    const tries = Array.from({ length: 40 }, (_, at) => verdict('alice', `at once ${at}`, attacker));
    const verdicts = await Promise.all(tries);
    assert.equal(verdicts.filter((each) => each === 'wrong_password').length, 3);
    assert.equal(verdicts.filter((each) => each === 'throttled').length, 37);
    assert.equal(hashed, 3);
  });

  test('is refused for every account to a client that tried too many', async () => {
    for (const user of ['a', 'b', 'c', 'd', 'e', 'f']) await verdict(user, password, attacker);
    assert.equal(await verdict('alice', password, attacker), 'throttled');
    assert.equal(await verdict('alice', password), 'verified by store');
  });

  test('says nothing of whether the user exists', async () => {
    assert.deepEqual(await guess(4, 'alice', attacker), await guess(4, 'nobody', '198.51.100.8'));
  });

  test('leaves tokens alone, also those that nothing has cached', async () => {
    await guess(6, 'alice', attacker);
    await guess(6, 'bob', attacker);
    const { value } = await world.mint(alice);
    assert.equal(await verdict('alice', value, attacker), 'verified by store');
    assert.equal((await world.bearer(value, { clientAddress: attacker })).kind, 'verified');
  });
});
