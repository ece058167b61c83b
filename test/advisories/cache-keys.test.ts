import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fakeSharedCache } from '../contract/shared-cache-fake.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../support/stepped-clock.ts';
import { openTokenWorld, type TokenWorld } from '../support/token-world.ts';

const allowed = { mainPassword: true };

describe('what is remembered of a credential', () => {
  let scratch: Scratch;
  let clock: SteppedClock;
  let here: TokenWorld;
  let there: TokenWorld;
  beforeEach(async () => {
    scratch = await makeScratch('cache-keys');
    clock = steppedClock();
    // Two stores, each with its own users, on one Redis and under one pepper.
    const shared = fakeSharedCache(() => clock.monotonic());
    here = await openTokenWorld({ path: scratch.file('here.db'), clock, shared });
    there = await openTokenWorld({ path: scratch.file('there.db'), clock, shared });
  });
  afterEach(async () => {
    here.database.close();
    there.database.close();
    await scratch.remove();
  });

  const verdict = async (on: TokenWorld, ...asked: Parameters<TokenWorld['basic']>): Promise<string> => {
    const verification = await on.basic(...asked);
    return verification.kind === 'verified'
      ? `${verification.principal.userName} from ${verification.tier}`
      : verification.reason;
  };

  test('by one store counts nothing at another on the same Redis, however warm [S4, CVE-2026-33496, GHSA-qvp4-rpmr-xwrr, CVE-2026-33729]', async () => {
    const { value } = await here.mint(await here.addUser('alice', 'the password here'));
    await there.addUser('alice', 'the password there');
    assert.equal(await verdict(here, 'alice', value), 'alice from store');
    assert.equal(await verdict(here, 'alice', value), 'alice from l1');
    assert.equal(await verdict(there, 'alice', value), 'unknown');
    assert.equal((await there.bearer(value)).kind, 'refused');

    assert.equal(await verdict(here, 'alice', 'the password here', allowed), 'alice from store');
    assert.equal(await verdict(there, 'alice', 'the password here', allowed), 'wrong_password');
    assert.equal(await verdict(there, 'alice', 'the password there', allowed), 'alice from store');
    assert.equal(
      await verdict(here, 'alice', value),
      'alice from l1',
      'nor does the refusal there count here',
    );
  });

  test('is judged anew by what the route and the request ask for, however warm [S4, CVE-2026-33496, CVE-2026-33729]', async () => {
    const alice = await here.addUser('alice', 'the password here');
    const { value } = await here.mint(alice, { networks: ['192.0.2.0/24'] });
    assert.equal(await verdict(here, 'alice', value), 'alice from store');
    assert.equal(await verdict(here, 'alice', value, { clientAddress: '198.51.100.1' }), 'network');
    assert.equal(await verdict(here, 'bob', value), 'wrong_user');
    assert.equal(await verdict(here, 'alice', 'the password here', allowed), 'alice from store');
    assert.equal(await verdict(here, 'alice', 'the password here', allowed), 'alice from l1');
    assert.equal(
      await verdict(here, 'alice', 'the password here'),
      'password_refused',
      'on a route that refuses it',
    );
    assert.equal((await here.bearer('the password here', allowed)).kind, 'refused', 'in another channel');
  });

  test('is never that of another pair that reads the same without its border, at the same time [S5, CVE-2026-71326]', async () => {
    await here.addUser('ann', 'abel-0123456789');
    await here.addUser('annabel', '-0123456789-long');
    const pairs = [
      ['ann', 'abel-0123456789', 'ann from store'],
      ['annabel', '-0123456789', 'wrong_password'],
      ['annabel', '-0123456789-long', 'annabel from store'],
      ['ann', 'abel-0123456789-long', 'wrong_password'],
      ['3:ann', '15:abel-0123456789', 'wrong_password'],
      ['', 'annabel-0123456789', 'wrong_password'],
    ] as const;
    const tries = pairs.map(([user, secret]) => verdict(here, user, secret, allowed));
    assert.deepEqual(
      await Promise.all(tries),
      pairs.map(([, , wanted]) => wanted),
    );
  });

  test('is compared in constant time wherever it is authenticated by a MAC [CVE-2026-21713]', async () => {
    for (const file of ['tokens/shared-entry.ts', 'storage/redis/change-message.ts']) {
      const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
      assert.match(source, /import \{[^}]*\btimingSafeEqual\b[^}]*\} from 'node:crypto'/, file);
      assert.match(source, /[&|( ]timingSafeEqual\(/, file);
    }
  });
});
