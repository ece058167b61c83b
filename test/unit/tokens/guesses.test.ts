import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Realm } from '../../../src/core/ids.ts';
import { createPeppers } from '../../../src/tokens/digest.ts';
import { createGuesses, type Guesses } from '../../../src/tokens/guesses.ts';
import type { SharedFailures } from '../../../src/tokens/shared-failures.ts';
import type { Credential, RefusalReason } from '../../../src/tokens/verification.ts';
import { fakeSharedFailures } from '../../contract/shared-failures-fake.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';

const limits = { perAccount: 3, perClient: 5, windowMs: 60_000 };
const here = '192.0.2.1';
const there = '198.51.100.7';
const peppers = createPeppers([{ id: 'p1', secret: 'a pepper for tests' }]);
const realm = 'realm' as Realm;

let clock: SteppedClock;
let guesses: Guesses;

const basic = (user: string, secret: string): Credential => ({ channel: 'basic', user, secret });
const bearer = (secret: string): Credential => ({ channel: 'bearer', secret });

function open(shared: SharedFailures | null = null): Guesses {
  return createGuesses({ clock, realm, peppers, shared, limits });
}

/** Refuses `count` different secrets; returns the waits. */
function storm(
  count: number,
  credential: (secret: string) => Credential,
  address = here,
  reason: RefusalReason = 'unknown',
): number[] {
  return Array.from({ length: count }, (_, at) =>
    guesses.refused(credential(`storm ${at}`), address, reason),
  );
}

beforeEach(() => {
  clock = steppedClock();
  guesses = open();
});

describe('guesses at one account', () => {
  test('are refused as ever up to the limit, and beyond it for the rest of the window', () => {
    assert.deepEqual(
      storm(5, (secret) => basic('alice', secret)),
      [0, 0, 0, 60_000, 60_000],
    );
    clock.advance(59_999);
    assert.equal(guesses.refused(basic('alice', 'more'), here, 'unknown'), 1);
    clock.advance(1);
    assert.equal(guesses.refused(basic('alice', 'even more'), there, 'unknown'), 0);
  });

  test('are counted from every address together, and for every spelling of the name', () => {
    guesses.refused(basic('Alice', 'a'), here, 'unknown');
    guesses.refused(basic('ALICE', 'b'), there, 'malformed');
    guesses.refused(basic('ａｌｉｃｅ', 'c'), '203.0.113.9', 'wrong_password');
    assert.equal(guesses.refused(basic('alice', 'd'), '203.0.113.10', 'unknown'), 60_000);
  });

  test('do not touch other accounts', () => {
    storm(4, (secret) => basic('alice', secret));
    assert.equal(guesses.refused(basic('bob', 'x'), there, 'unknown'), 0);
  });

  test('by one secret over and over count once, however long its cached refusal lives', () => {
    for (let minute = 0; minute < 50; minute++) {
      assert.equal(guesses.refused(basic('alice', 'a dead token'), here, 'unknown'), 0);
      clock.advance(1_000);
    }
  });

  test('count once where the same secret comes under another spelling of the name', () => {
    for (const user of ['alice', 'ALICE', 'Alice', 'aLICE'])
      assert.equal(guesses.refused(basic(user, 'the same'), here, 'unknown'), 0);
  });

  test('do not follow the wall clock', () => {
    storm(3, (secret) => basic('alice', secret));
    clock.stepWall(3_600_000);
    assert.equal(guesses.refused(basic('alice', 'more'), here, 'unknown'), 60_000);
    clock.stepWall(-7_200_000);
    assert.equal(guesses.refused(basic('alice', 'more'), here, 'unknown'), 60_000);
  });
});

describe('guesses by one client', () => {
  test('are counted over all accounts and channels', () => {
    guesses.refused(basic('a', 'x'), here, 'unknown');
    guesses.refused(basic('b', 'x'), here, 'password_refused');
    guesses.refused(bearer('x'), here, 'malformed');
    guesses.refused({ channel: 'query', secret: 'y' }, here, 'unknown');
    guesses.refused({ channel: 'header', secret: 'z' }, here, 'unknown');
    assert.equal(guesses.refused(bearer('more'), here, 'unknown'), 60_000);
    assert.equal(guesses.refused(bearer('more'), there, 'unknown'), 0);
  });

  test('are counted by the network of 64 bits where it has IPv6', () => {
    storm(5, bearer, '2001:db8:1:2::1');
    assert.equal(guesses.refused(bearer('more'), '2001:db8:1:2:ffff::2', 'unknown'), 60_000);
    assert.equal(guesses.refused(bearer('more'), '2001:db8:1:3::1', 'unknown'), 0);
  });

  test('beyond its limit use up no account any more', () => {
    storm(5, bearer);
    storm(5, (secret) => basic('alice', secret));
    assert.equal(guesses.refused(basic('alice', 'x'), there, 'unknown'), 0);
  });

  test('go on counting while the account is at its limit', () => {
    storm(6, (secret) => basic('alice', secret));
    assert.equal(guesses.refused(bearer('x'), here, 'unknown'), 60_000);
  });
});

describe('what speaks of a token that exists', () => {
  const known: readonly RefusalReason[] = [
    'expired',
    'not_yet_valid',
    'revoked',
    'disabled',
    'user_disabled',
    'wrong_user',
    'network',
  ];
  for (const reason of known) {
    test(`is no guess: ${reason}`, () => {
      const waits = storm(20, (secret) => basic('alice', secret), here, reason);
      assert.deepEqual(new Set(waits), new Set([0]));
    });

    test(`is answered like a guess beyond the limit, so that it cannot be told apart: ${reason}`, () => {
      storm(3, (secret) => basic('alice', secret));
      const [guess, other] = [
        guesses.refused(basic('alice', 'a guess'), here, 'unknown'),
        guesses.refused(basic('alice', 'a token'), here, reason),
      ];
      assert.equal(other, guess);
    });
  }
});

describe('a password that would have to be hashed', () => {
  test('is admitted below the limits, and not beyond either of them', () => {
    assert.notEqual(guesses.admit('alice', 'key', here), null);
    storm(3, (secret) => basic('alice', secret), there);
    assert.equal(guesses.admit('Alice', 'key', here), null);
    assert.notEqual(guesses.admit('bob', 'key', here), null);
    storm(5, bearer);
    assert.equal(guesses.admit('bob', 'key', here), null);
    assert.notEqual(guesses.admit('bob', 'key', there), null);
  });

  test('is not admitted where those being checked could reach the limit, until one of them is done', () => {
    const done = guesses.admit('alice', 'one', here);
    guesses.admit('alice', 'two', here);
    guesses.admit('ALICE', 'three', there);
    assert.equal(guesses.admit('alice', 'four', here), null);
    assert.notEqual(guesses.admit('alice', 'two', here), null, 'the same one again is not another');
    done?.();
    assert.notEqual(guesses.admit('alice', 'four', here), null);
  });

  test('leaves room for as many as have not failed yet', () => {
    storm(2, (secret) => basic('alice', secret));
    guesses.admit('alice', 'one', there);
    assert.equal(guesses.admit('alice', 'two', there), null);
  });

  test('that was not checked is answered with a wait, and is not counted', () => {
    for (let at = 0; at < 10; at++)
      assert.equal(guesses.refused(basic('alice', `p${at}`), here, 'throttled'), 1_000);
    assert.equal(guesses.refused(basic('alice', 'x'), here, 'unknown'), 0);
  });
});

describe('several processes', () => {
  const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  test('count together, one failure after they begin to share', async () => {
    const shared = fakeSharedFailures(() => clock.monotonic(), limits.windowMs);
    const [first, second] = [open(shared), open(shared)];
    for (const secret of ['a', 'b', 'c']) first.refused(basic('alice', secret), here, 'unknown');
    await settled();
    clock.advance(10_000);
    assert.equal(second.refused(basic('alice', 'd'), there, 'unknown'), 0);
    await settled();
    assert.equal(second.refused(basic('alice', 'e'), there, 'unknown'), 50_000);
    assert.equal(second.admit('alice', 'key', there), null);
  });

  test('count a secret once that was tried at each of them', async () => {
    const shared = fakeSharedFailures(() => clock.monotonic(), limits.windowMs);
    for (let at = 0; at < 10; at++) {
      const process = open(shared);
      assert.equal(process.refused(basic('alice', 'a dead token'), here, 'unknown'), 0);
      await settled();
      assert.equal(process.refused(basic('alice', 'a dead token'), here, 'unknown'), 0);
    }
  });

  test('go by what they saw themselves where nothing is shared any more', async () => {
    guesses = open({ add: () => Promise.resolve(null) });
    assert.deepEqual(
      storm(4, (secret) => basic('alice', secret)),
      [0, 0, 0, 60_000],
    );
    await settled();
    assert.equal(guesses.refused(basic('alice', 'more'), here, 'unknown'), 60_000);
  });

  test('never wait for one another, tell behind the answer, and neither names nor addresses nor secrets', async () => {
    const told: string[] = [];
    guesses = open({
      add(...texts) {
        told.push(...texts);
        return new Promise(() => undefined);
      },
    });
    storm(4, (secret) => basic('alice', secret));
    assert.equal(told.length, 0, 'the answers go first');
    await turn();
    assert.equal(told.length, 14);
    for (const text of told) assert.match(text, /^[\w-]{43}$/);
  });
});
