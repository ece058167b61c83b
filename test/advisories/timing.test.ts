import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createPasswords } from '../../src/identity/passwords.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { steppedClock } from '../support/stepped-clock.ts';
import { openTokenWorld, type TokenWorld } from '../support/token-world.ts';

/** Processor time that this process spends on some work, all its threads together: what a clock on the wall would only guess. */
async function workMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

describe('an unknown user', () => {
  const passwords = createPasswords({ concurrency: 1, queueMax: 0 });

  test('costs the same hash as a known one with a wrong password [S12, CVE-2026-32595, CVE-2026-41263, CVE-2026-25050]', async () => {
    const real = await passwords.hash('a password that is right');
    // The first look at nobody makes the decoy once.
    await passwords.matches(null, 'a guess');
    const rounds = async (stored: string | null): Promise<void> => {
      for (let round = 0; round < 8; round += 1)
        assert.equal(await passwords.matches(stored, 'a guess'), false);
    };
    const known = await workMs(() => rounds(real));
    const unknown = await workMs(() => rounds(null));
    const said = `known ${known} ms, unknown ${unknown} ms of processor time`;
    assert.ok(known > 8 && unknown > known / 2 && unknown < known * 2, said);
  });

  test('waits in the same queue: the semaphore does not tell either [S12, CVE-2026-25050]', async () => {
    const running = passwords.matches(null, 'a guess');
    await assert.rejects(passwords.matches(null, 'a guess'), { code: 'overloaded' });
    assert.equal(await running, false);
  });
});

describe('the answer about a main password', () => {
  let scratch: Scratch;
  let world: TokenWorld;
  beforeEach(async () => {
    scratch = await makeScratch('timing');
    world = await openTokenWorld({ path: scratch.file('latchkey.db'), clock: steppedClock() });
  });
  afterEach(async () => {
    world.database.close();
    await scratch.remove();
  });

  test('is one and the same, after the same work, for a user unknown, without password, and with another [S12, CVE-2026-32595, CVE-2026-41263]', async () => {
    await world.addUser('known', 'a password that is right');
    await world.addUser('tokens-only');
    const ask = (user: string): Promise<unknown> => world.basic(user, 'a guess', { mainPassword: true });
    const costs: number[] = [];
    await ask('warms-up');
    for (const user of ['known', 'tokens-only', 'unknown']) {
      costs.push(
        await workMs(async () => {
          assert.deepEqual(await ask(user), { kind: 'refused', reason: 'wrong_password', tier: 'store' });
        }),
      );
    }
    assert.ok(Math.min(...costs) > Math.max(...costs) / 3, `${costs.join(', ')} ms of processor time`);
  });
});
