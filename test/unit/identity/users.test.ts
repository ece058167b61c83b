import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createPasswords } from '../../../src/identity/passwords.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock } from '../../support/stepped-clock.ts';
import { nobody, openTokenWorld, tester, type TokenWorld } from '../../support/token-world.ts';

describe('users', () => {
  let scratch: Scratch;
  let world: TokenWorld;
  before(async () => {
    scratch = await makeScratch('users');
    world = await openTokenWorld({ path: scratch.file('latchkey.db'), clock: steppedClock() });
  });
  after(async () => {
    world.database.close();
    await scratch.remove();
  });

  test('are found by any spelling of the name, and by id', async () => {
    const user = await world.addUser('Ünal');
    for (const name of ['Ünal', 'ünal', 'U\u0308NAL', user.id, user.id.toUpperCase()]) {
      assert.deepEqual(await world.users.find(name), user, name);
    }
    for (const name of ['unal', '', nobody]) assert.equal(await world.users.find(name), null, name);
  });

  test('are found by their own id, whatever login name somebody else has', async () => {
    const user = await world.addUser('shadowed');
    await world.addUser(user.id);
    assert.deepEqual(await world.users.find(user.id), user);
  });

  test('never share a name', async () => {
    await world.addUser('Twin');
    const second = await world.users.add(tester, 'TWIN', null);
    assert.equal(second.kind === 'refused' && second.code, 'name_taken');
  });

  test('need a usable name and password', async () => {
    const [name, password] = [
      await world.users.add(tester, 'a:b', null),
      await world.users.add(tester, 'someone', 'short'),
    ];
    assert.equal(name.kind === 'refused' && name.code, 'bad_name');
    assert.equal(password.kind === 'refused' && password.code, 'bad_password');
    assert.equal(await world.users.find('someone'), null);
  });

  test('keep only an argon2id hash of the password', async () => {
    const user = await world.addUser('hashed', 'a long password');
    assert.match(user.passwordHash ?? '', /^\$argon2id\$v=19\$m=19456,p=1,t=2\$/);
  });

  test('that are disabled twice change once', async () => {
    const user = await world.addUser('sleepy');
    const first = await world.users.change(tester, user.id, { disabled: true });
    const second = await world.users.change(tester, user.id, { disabled: true });
    assert.deepEqual(
      [first, second].map((outcome) => outcome.kind === 'user' && [outcome.changed, outcome.user.version]),
      [
        [true, 2],
        [false, 2],
      ],
    );
  });

  test('that do not exist are refused', async () => {
    const outcomes = [
      await world.users.change(tester, nobody, { disabled: true }),
      await world.users.setPassword(tester, nobody, null),
      await world.users.remove(tester, nobody),
    ];
    for (const outcome of outcomes) assert.equal(outcome.kind === 'refused' && outcome.code, 'no_user');
  });

  test('leave a trail without their passwords', async () => {
    const user = await world.addUser('trailed', 'a long password');
    await world.users.setPassword(tester, user.id, 'another password');
    await world.users.remove(tester, user.id);
    const trail = await world.tokens.audit({ userId: user.id, limit: 10 });
    assert.deepEqual(
      trail.map(({ action }) => action),
      ['user.remove', 'user.password', 'user.add'],
    );
    assert.ok(!/long|another|argon2/.test(JSON.stringify(trail)));
  });
});

describe('checking passwords', () => {
  test('hashes no more at a time than allowed, in turn, and refuses beyond the queue', async () => {
    const passwords = createPasswords({ concurrency: 1, queueMax: 2 });
    const order: number[] = [];
    const all = Array.from({ length: 5 }, (_, at) =>
      passwords.matches(null, 'guess').then((isRight) => {
        order.push(at);
        return isRight;
      }),
    );
    const outcomes = await Promise.allSettled(all);
    assert.deepEqual(order, [0, 1, 2]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      [...['fulfilled', 'fulfilled', 'fulfilled'], ...['rejected', 'rejected']],
    );
    assert.equal(await passwords.matches(await passwords.hash('right one'), 'right one'), true);
  });
});
