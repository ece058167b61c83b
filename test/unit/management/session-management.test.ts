import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Person } from '../../../src/management/caller.ts';
import { isRefused, type Refused } from '../../../src/management/refused.ts';
import {
  callerAddress,
  type ManagementWorld,
  openManagementWorld,
  worldLimits,
} from '../../support/management-world.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';

let scratch: Scratch;
let clock: SteppedClock;
let world: ManagementWorld;
let asRoot: Person;

before(async () => {
  scratch = await makeScratch('session-management');
  clock = steppedClock();
  world = await openManagementWorld({ path: scratch.file('latchkey.db'), clock });
  asRoot = await world.signIn(await world.user('root', { role: 'admin' }, null));
});
after(async () => {
  world.database.close();
  await scratch.remove();
});

function granted<T extends object>(answer: T | Refused): T {
  assert.ok(!isRefused(answer), JSON.stringify(answer));
  return answer;
}

/** Somebody with three browsers, the first of which asks. */
async function threeBrowsers(name: string): Promise<readonly [Person, Person, Person]> {
  const user = await world.user(name, undefined, null);
  const [one, two] = [await world.signIn(user, false), await world.signIn(user, false)];
  clock.advance(1_000);
  return [one, two, await world.signIn(user, false)];
}

describe('browser sessions', () => {
  test('are listed most recent first, without secrets, the own one marked', async () => {
    const [one, two, three] = await threeBrowsers('ann');
    const listed = granted(await world.sessionManagement.list(one, one.user.id));
    assert.equal(listed[0]?.id, three.session.id);
    assert.deepEqual(
      new Set(listed.map(({ id }) => id)),
      new Set([one, two, three].map(({ session }) => session.id)),
    );
    assert.deepEqual(
      listed.filter(({ isCurrent }) => isCurrent).map(({ id }) => id),
      [one.session.id],
    );
    assert.ok(!/digest|draft|signOut/i.test(JSON.stringify(listed)));
  });

  test('are ended one by one, without touching the others, and without a confirmation', async () => {
    const [one, two, three] = await threeBrowsers('ben');
    granted(await world.sessionManagement.end(one, one.user.id, two.session.id));
    const left = granted(await world.sessionManagement.list(one, one.user.id)).map(({ id }) => id);
    assert.deepEqual(new Set(left), new Set([one.session.id, three.session.id]));
    const again = await world.sessionManagement.end(one, one.user.id, two.session.id);
    assert.ok(isRefused(again) && again.code === 'not_found');
  });

  test('are ended everywhere: all others, or the own one too', async () => {
    const [one] = await threeBrowsers('cleo');
    assert.deepEqual(await world.sessionManagement.endAll(one, one.user.id, false), { ended: 2 });
    assert.deepEqual(await world.sessionManagement.endAll(one, one.user.id, true), { ended: 1 });
    assert.deepEqual(await world.sessions.listOf(one.user.id), []);
  });

  test('of anybody are seen and ended by admins and keys for users, who are named in the trail', async () => {
    for (const caller of [asRoot, await world.key('users')]) {
      const [one, two] = await threeBrowsers(`dan of ${caller.kind}`);
      const { id } = one.user;
      const listed = granted(await world.sessionManagement.list(caller, id));
      assert.deepEqual([listed.length, listed.some(({ isCurrent }) => isCurrent)], [3, false]);
      granted(await world.sessionManagement.end(caller, id, two.session.id));
      assert.deepEqual(await world.sessionManagement.endAll(caller, id, false), { ended: 2 });
      const [event] = await world.tokens.audit({ userId: id, limit: 1 });
      const name = caller.kind === 'key' ? `key:${caller.key.name}` : 'user:root';
      assert.deepEqual(
        [event?.action, event?.actor, event?.details['address']],
        ['session.end_all', name, callerAddress],
      );
    }
    assert.notEqual((await world.sessions.listOf(asRoot.user.id)).length, 0);
  });

  test('that are over are not listed', async () => {
    const [one] = await threeBrowsers('eli');
    clock.advance(worldLimits.idleMs);
    assert.deepEqual(granted(await world.sessionManagement.list(one, one.user.id)), []);
  });
});
