import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Fault } from '../../../src/core/errors.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import { type FakeSource, fakeSource } from '../../support/password-source.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { auditEvent, userRecord } from '../../support/store-records.ts';
import { openTokenWorld, type TokenWorld } from '../../support/token-world.ts';

const allowed = { mainPassword: true };

describe('a main password that is kept elsewhere', () => {
  let scratch: Scratch;
  let clock: SteppedClock;
  let world: TokenWorld;
  let source: FakeSource;
  let there: FakeSource['people'];

  beforeEach(async () => {
    scratch = await makeScratch('password-elsewhere');
    clock = steppedClock();
    source = fakeSource('dir');
    there = source.people;
    world = await openTokenWorld({
      path: scratch.file('latchkey.db'),
      clock,
      directory: {
        sources: [source],
        async welcome(name, { subject, userName }) {
          const user = userRecord(userName ?? '', { source: name, subject });
          return (await world.userStore.insert(user, auditEvent('test'))) ? user : null;
        },
      },
    });
  });
  afterEach(async () => {
    world.database.close();
    await scratch.remove();
  });

  const verdict = async (user: string, secret: string): Promise<string> => {
    const verification = await world.basic(user, secret, allowed);
    return verification.kind === 'verified' ? verification.principal.userName : verification.reason;
  };
  const known = async (name: string, fields: Partial<UserRecord> = {}): Promise<UserRecord> => {
    const user = userRecord(name, { source: 'dir', subject: `s-${name}`, ...fields });
    await world.userStore.insert(user, auditEvent('test'));
    there.set(name, ['right', `s-${name}`]);
    return user;
  };

  test('is asked there, at most once a minute', async () => {
    await known('alice');
    for (let use = 0; use < 5; use++) assert.equal(await verdict('ALICE', 'right'), 'alice');
    assert.deepEqual(source.asked, ['s-alice']);
    clock.advance(60_000);
    assert.equal(await verdict('alice', 'right'), 'alice');
    assert.equal(source.asked.length, 2);
  });

  test('counts no longer than a minute once it was changed there', async () => {
    await known('alice');
    assert.equal(await verdict('alice', 'right'), 'alice');
    there.set('alice', ['changed', 's-alice']);
    clock.advance(60_000);
    assert.deepEqual(
      [await verdict('alice', 'right'), await verdict('alice', 'changed')],
      ['wrong_password', 'alice'],
    );
  });

  test('stops at once for somebody who lapses', async () => {
    const { id } = await known('alice');
    assert.equal(await verdict('alice', 'right'), 'alice');
    const changed = await world.userStore.change(id, { lapsed: true }, auditEvent('test'));
    world.freshness.apply([{ kind: 'user', userId: id, version: changed?.version ?? 0 }]);
    assert.equal(await verdict('alice', 'right'), 'wrong_password');
  });

  test('makes a user of somebody new', async () => {
    there.set('carol', ['right', 's-carol']);
    assert.equal(await verdict('carol', 'wrong'), 'wrong_password');
    assert.equal(await world.users.find('carol'), null);
    assert.equal(await verdict('carol', 'right'), 'carol');
    assert.equal((await world.users.find('carol'))?.subject, 's-carol');
  });

  test('of somebody else who has the name there by now is not the user’s', async () => {
    await known('alice');
    there.set('alice', ['right', 'somebody else']);
    assert.equal(await verdict('alice', 'right'), 'wrong_password');
  });

  test('opens no local user of the same name, and the local password no user from elsewhere', async () => {
    await world.addUser('bob', 'the local password');
    there.set('bob', ['right', 's-bob']);
    assert.equal(await verdict('bob', 'right'), 'wrong_password');
    assert.equal(await verdict('bob', 'the local password'), 'bob');
    await known('dora', { passwordHash: (await world.users.find('bob'))?.passwordHash ?? null });
    assert.equal(await verdict('dora', 'the local password'), 'wrong_password');
  });

  test('is still the user’s after the directory has given that person another name', async () => {
    await known('alice');
    there.delete('alice');
    there.set('alice-married', ['right', 's-alice']);
    assert.equal(await verdict('alice', 'right'), 'alice');
  });

  test('costs the same questions whether the name is local, from there, or nobody’s', async () => {
    await known('alice');
    await known('gone', { lapsed: true });
    await world.addUser('bob', 'the local password');
    for (const name of ['alice', 'bob', 'nobody', 'gone']) {
      source.asked.length = 0;
      assert.equal(await verdict(name, 'wrong'), 'wrong_password');
      assert.equal(source.asked.length, 1, name);
    }
  });

  test('that cannot be asked about is a fault, and local users come in as ever', async () => {
    await known('alice');
    await world.addUser('bob', 'the local password');
    source.isAway = true;
    const isUnavailable = (error: unknown): boolean =>
      error instanceof Fault && error.code === 'sign_in_unavailable';
    await assert.rejects(verdict('alice', 'right'), isUnavailable);
    await assert.rejects(verdict('nobody', 'right'), isUnavailable);
    assert.equal(await verdict('bob', 'the local password'), 'bob');
    // A refusal, which is counted: else local passwords could be tried without end meanwhile.
    assert.equal(await verdict('bob', 'wrong'), 'wrong_password');
    source.isAway = false;
    assert.equal(await verdict('alice', 'right'), 'alice');
  });
});
