import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { digestSecret } from '../../../src/identity/random-secret.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import type { Person } from '../../../src/management/caller.ts';
import { isRefused, type Refused } from '../../../src/management/refused.ts';
import {
  callerAddress,
  type ManagementWorld,
  openManagementWorld,
  worldPassword,
} from '../../support/management-world.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { userRecord } from '../../support/store-records.ts';

let scratch: Scratch;
let clock: SteppedClock;
let world: ManagementWorld;
let root: UserRecord;
let asRoot: Person;

before(async () => {
  scratch = await makeScratch('people-management');
  clock = steppedClock();
  world = await openManagementWorld({
    ...{ path: scratch.file('latchkey.db'), clock },
    guessLimits: { perAccount: 5, perClient: 1_000, windowMs: 900_000 },
  });
  root = await world.user('root', { role: 'admin' });
  asRoot = await world.signIn(root);
});
after(async () => {
  world.database.close();
  await scratch.remove();
});

function granted<T extends object>(answer: T | Refused): T {
  assert.ok(!isRefused(answer), JSON.stringify(answer));
  return answer;
}
const codeOf = (answer: object): string => (isRefused(answer) ? answer.code : 'granted');
const lastEvent = async (user: Pick<UserRecord, 'id'>) =>
  (await world.tokens.audit({ userId: user.id, limit: 1 }))[0];

/** Somebody from a directory. */
async function fromElsewhere(name: string): Promise<UserRecord> {
  const user = userRecord(name, { source: 'ldap', subject: `uuid of ${name}` });
  const event = { at: 0, action: 'user.provision', actor: 'source:ldap', userId: user.id, tokenId: null };
  assert.ok(await world.userStore.insert(user, { ...event, details: {} }));
  return user;
}

describe('making users', () => {
  test('with a password needs no link', async () => {
    const made = granted(
      await world.people.create(asRoot, {
        ...{ name: 'Anna', displayName: 'Anna A.', email: 'anna@example.org', role: 'admin' },
        password: worldPassword,
      }),
    );
    const { name, displayName, email, role, source, hasPassword } = made.user;
    assert.deepEqual(
      { name, displayName, email, role, source, hasPassword, link: made.passwordLink },
      {
        ...{ name: 'Anna', displayName: 'Anna A.', email: 'anna@example.org', role: 'admin' },
        ...{ source: 'local', hasPassword: true, link: null },
      },
    );
    assert.ok(!/argon2|passwordHash|sourceGrant|nameKey/.test(JSON.stringify(made)));
    const event = await lastEvent(made.user);
    assert.deepEqual(
      [event?.action, event?.actor, event?.details['address']],
      [...['user.add', 'user:root', callerAddress]],
    );
  });

  test('without one gives a link that is good for a day, of which the store keeps a digest', async () => {
    const { user, passwordLink } = granted(
      await world.people.create(asRoot, { name: 'ben', password: null }),
    );
    const secret = passwordLink ?? '';
    const link = await world.links.find(digestSecret(secret), clock.now());
    assert.deepEqual([link?.purpose, link?.userId], ['set-password', user.id]);
    assert.equal(await world.links.find(digestSecret(secret), clock.now() + 24 * 3_600_000), null);
    assert.ok(!JSON.stringify(world.database.prepare('SELECT * FROM one_time_links').all()).includes(secret));
    const event = await lastEvent(user);
    assert.deepEqual([event?.action, event?.actor], ['link.set-password', 'user:root']);
    assert.ok(!JSON.stringify(event).includes(secret));
  });

  test('refuses what cannot be, and keeps nothing of it', async () => {
    const { value } = await world.mint(root);
    const wrong = [
      [{ name: 'a:b', password: null }, 'bad_name'],
      [{ name: `my ${value}`, password: null }, 'bad_name'],
      [{ name: 'ROOT', password: null }, 'name_taken'],
      [{ name: 'nina', password: 'short' }, 'bad_password'],
      [{ name: 'nina', password: null, email: 'nobody' }, 'bad_email'],
      [{ name: 'nina', password: null, displayName: value }, 'bad_display_name'],
    ] as const;
    for (const [user, code] of wrong) {
      const answer = await world.people.create(asRoot, user);
      assert.equal(codeOf(answer), code);
      assert.ok(!JSON.stringify(answer).includes(value));
    }
    assert.equal(await world.users.find('nina'), null);
  });
});

describe('changing users', () => {
  test('disables: tokens, password and sessions end, and sessions do not come back', async () => {
    const user = await world.user('dan');
    const started = await world.sessions.start({
      ...{ user, source: 'local', address: callerAddress, userAgent: null, confirmed: true },
      ...{ signOut: null, replaces: null },
    });
    assert.ok(started !== null);
    const { secret } = started;
    const { value } = await world.mint(user);
    const disabled = granted(await world.people.change(asRoot, user.id, { disabled: true }));
    assert.equal(disabled.disabled, true);
    assert.equal((await world.bearer(value)).kind, 'refused');
    assert.equal(await world.sessions.recognise(secret, callerAddress), null);
    granted(await world.people.change(asRoot, user.id, { disabled: false }));
    assert.equal((await world.bearer(value)).kind, 'verified');
    assert.equal(await world.sessions.recognise(secret, callerAddress), null);
  });

  test('makes admins and users, and decides who may have tokens', async () => {
    const { id } = await world.user('emil', undefined, null);
    assert.equal(granted(await world.people.change(asRoot, id, { role: 'admin' })).role, 'admin');
    assert.equal(granted(await world.people.change(asRoot, id, { role: 'user' })).role, 'user');
    assert.equal(
      granted(await world.people.change(asRoot, id, { mayHaveTokens: false })).mayHaveTokens,
      false,
    );
    assert.equal(granted(await world.people.change(asRoot, id, { mayHaveTokens: null })).mayHaveTokens, null);
  });

  test('of a version read before is refused where it has changed since', async () => {
    const { id, version } = await world.user('fay', undefined, null);
    granted(await world.people.change(asRoot, id, { displayName: 'F' }, version));
    assert.equal(codeOf(await world.people.change(asRoot, id, { displayName: 'G' }, version)), 'stale');
  });

  test('takes no field that is not for admins to change', async () => {
    const { id } = await world.user('gil', undefined, null);
    const more = {
      displayName: 'G',
      passwordHash: 'x',
      source: 'ldap',
      lapsed: true,
      language: 'de',
      version: 9,
    };
    const changed = granted(await world.people.change(asRoot, id, more as { displayName: string }));
    assert.deepEqual(
      [
        changed.displayName,
        changed.hasPassword,
        changed.source,
        changed.lapsed,
        changed.language,
        changed.version,
      ],
      ['G', false, 'local', false, null, 2],
    );
  });

  test('leaves name, mail and password of somebody from elsewhere to that place', async () => {
    const carol = await fromElsewhere('carol');
    assert.equal(codeOf(await world.people.change(asRoot, carol.id, { displayName: 'C' })), 'conflict');
    const link = await world.people.passwordLink(asRoot, carol.id);
    assert.ok(isRefused(link) && link.code === 'conflict');
    assert.match(link.detail, /kept at ldap: change it there/);
    const asCarol = await world.signIn(carol);
    assert.equal(codeOf(await world.people.changeOwnPassword(asCarol, 'x', worldPassword)), 'conflict');
    granted(await world.people.change(asRoot, carol.id, { disabled: true }));
  });

  test('keeps the last admin who can sign in, whoever asks', async () => {
    const anna = await world.users.find('anna');
    assert.ok(anna !== null);
    granted(await world.people.change(asRoot, anna.id, { role: 'user' }));
    for (const caller of [asRoot, await world.key('users')]) {
      const outcomes = [
        await world.people.change(caller, root.id, { role: 'user' }),
        await world.people.change(caller, root.id, { disabled: true }),
        await world.people.remove(caller, root.id),
      ];
      assert.deepEqual(outcomes.map(codeOf), ['conflict', 'conflict', 'conflict']);
    }
    granted(await world.people.change(asRoot, root.id, { displayName: 'Root' }));
  });

  test('removes: its tokens are revoked, and its name stays in the trail', async () => {
    const user = await world.user('hal');
    const { value } = await world.mint(user);
    granted(await world.people.remove(asRoot, user.id));
    assert.equal((await world.bearer(value)).kind, 'refused');
    assert.equal(codeOf(await world.people.get(asRoot, user.id)), 'not_found');
    const trail = granted(await world.audit.list(asRoot, { userId: user.id, limit: 10 }));
    assert.ok(trail.items.length > 0 && trail.items.every(({ userName }) => userName === 'hal'));
  });
});

describe('the own password', () => {
  test('is changed with the current one, ends all other sessions, and is in the trail without either', async () => {
    const user = await world.user('ida');
    const [mine, other] = [await world.signIn(user), await world.signIn(user)];
    granted(await world.people.changeOwnPassword(mine, worldPassword, 'another long password'));
    assert.deepEqual(
      (await world.sessions.listOf(user.id)).map(({ id }) => id),
      [mine.session.id],
    );
    assert.notEqual(other.session.id, mine.session.id);
    assert.equal(
      codeOf(await world.people.changeOwnPassword(mine, worldPassword, 'x'.repeat(9))),
      'wrong_password',
    );
    assert.equal(
      codeOf(await world.people.changeOwnPassword(mine, 'another long password', 'short')),
      'bad_password',
    );
    const event = await lastEvent(user);
    assert.deepEqual(
      [event?.action, event?.actor, event?.details['address']],
      [...['user.password', 'user:ida', callerAddress]],
    );
    assert.ok(!/long password|argon2/.test(JSON.stringify(event)));
  });

  test('cannot be guessed from a session: too many wrong ones are answered by waiting', async () => {
    const user = await world.user('jon');
    const mine = await world.signIn(user);
    const codes: string[] = [];
    for (let round = 0; round < 8; round++) {
      codes.push(codeOf(await world.people.changeOwnPassword(mine, `guess ${round}`, worldPassword)));
    }
    assert.deepEqual([codes[0], codes.at(-1)], ['wrong_password', 'throttled']);
  });

  test('is nothing that a key has', async () => {
    const key = await world.key('users', 'tokens', 'audit');
    assert.equal(
      codeOf(await world.people.changeOwnPassword(key, worldPassword, worldPassword)),
      'not_allowed',
    );
    assert.equal(codeOf(await world.people.setOwnLanguage(key, 'de')), 'not_allowed');
  });
});

describe('users', () => {
  test('choose their language without a confirmation', async () => {
    const mine = await world.signIn(await world.user('kim', undefined, null), false);
    assert.equal(granted(await world.people.setOwnLanguage(mine, 'de')).language, 'de');
  });

  test('are found page by page, by whoever manages them', async () => {
    for (const caller of [asRoot, await world.key('users')]) {
      const found = granted(await world.people.list(caller, { text: 'ROO', limit: 10 }));
      assert.deepEqual(
        found.items.map(({ name }) => name),
        ['root'],
      );
      assert.ok(!/argon2|nameKey|sourceGrant/.test(JSON.stringify(found)));
      const first = granted(await world.people.list(caller, { limit: 1 }));
      const second = granted(await world.people.list(caller, { limit: 1, after: first.next ?? '' }));
      assert.notEqual(first.items[0]?.id, second.items[0]?.id);
      assert.equal(codeOf(await world.people.list(caller, { limit: 0 })), 'bad_request');
    }
  });

  test('see themselves', async () => {
    const lea = await world.user('lea');
    const shown = granted(await world.people.get(await world.signIn(lea), lea.id));
    assert.deepEqual([shown.name, shown.hasPassword], ['lea', true]);
  });
});
