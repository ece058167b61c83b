import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Fault } from '../../../src/core/errors.ts';
import { createSqliteSessionStore } from '../../../src/storage/sqlite/session-store.ts';
import { fakeSource } from '../../support/password-source.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { browser, openSignInWorld, type SignInWorld } from '../../support/sign-in-world.ts';
import { tester } from '../../support/token-world.ts';

const password = 'a long password';
const wrong = 'another password';

describe('signing in with a password', () => {
  let scratch: Scratch;
  let world: SignInWorld;
  before(async () => {
    scratch = await makeScratch('sign-in');
    const guessLimits = { perAccount: 5, perClient: 1_000, windowMs: 900_000 };
    world = await openSignInWorld({ path: scratch.file('latchkey.db'), guessLimits });
  });
  after(async () => {
    await world.close();
    await scratch.remove();
  });

  const attempt = (name: string, secret: string, address: string = browser.address) =>
    world.signIn.withPassword({ ...browser, address }, name, secret, null);

  test('makes a session that is recognised by its secret alone', async () => {
    const user = await world.addUser('Alice', password);
    const { secret, person, endsAt } = await world.enter('ALICE', password);
    assert.deepEqual([person.user.id, person.isConfirmed], [user.id, true]);
    assert.equal(endsAt, world.clock.now() + 168 * 3_600_000);
    const found = await world.signIn.recognise(secret, browser);
    assert.equal(found?.session.id, person.session.id);
    for (const other of ['', person.session.id, person.session.secretDigest, secret.toLowerCase()]) {
      assert.equal(await world.signIn.recognise(other, browser), null);
    }
  });

  test('notes when the user signed in, without a new version', async () => {
    const user = await world.addUser('dated', password);
    await world.enter('dated', password);
    const now = await world.users.find('dated');
    assert.deepEqual([now?.signedInAt, now?.version], [world.clock.now(), user.version]);
  });

  test('ends the session that the browser had, whoever laid it there', async () => {
    await world.addUser('mallory', password);
    await world.addUser('victim', password);
    const planted = await world.enter('mallory', password);
    const fresh = await world.enter('victim', password, planted.secret);
    assert.notEqual(fresh.secret, planted.secret);
    assert.notEqual(fresh.person.session.id, planted.person.session.id);
    assert.equal(await world.signIn.recognise(planted.secret, browser), null);
    assert.equal((await world.signIn.recognise(fresh.secret, browser))?.user.name, 'victim');
  });

  test('never takes over a secret that was made up', async () => {
    await world.addUser('fixed', password);
    const planted = 'A'.repeat(43);
    const { secret } = await world.enter('fixed', password, planted);
    assert.notEqual(secret, planted);
    assert.equal(await world.signIn.recognise(planted, browser), null);
  });

  test('answers an unknown name, a wrong password, no password and somebody disabled alike', async () => {
    await world.addUser('known', password);
    await world.addUser('tokens-only');
    const shut = await world.addUser('shut-out', password);
    await world.users.change(tester, shut.id, { disabled: true });
    const answers = [
      await attempt('nobody-at-all', wrong),
      await attempt('known', wrong),
      await attempt('known', ''),
      await attempt('known', 'x'.repeat(1_025)),
      await attempt('tokens-only', wrong),
      await attempt('shut-out', password),
      await attempt('shut-out', wrong),
    ];
    assert.equal(answers[0]?.kind === 'refused' && answers[0].code, 'sign_in_refused');
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
  });

  test('waits after too many wrong passwords, also for a name that nobody has', async () => {
    await world.addUser('stormed', password);
    for (const name of ['stormed', 'not-there']) {
      for (let guess = 0; guess < 5; guess++) {
        const answer = await attempt(name, `guess ${guess}`);
        assert.equal(answer.kind === 'refused' && answer.code, 'sign_in_refused');
      }
      const answer = await attempt(name, 'one more');
      assert.ok(answer.kind === 'refused' && answer.code === 'throttled', name);
      assert.equal(answer.retryAfterMs, 900_000);
    }
    const blocked = await attempt('stormed', password, '203.0.113.9');
    assert.equal(blocked.kind === 'refused' && blocked.code, 'throttled');
    world.clock.advance(900_000);
    assert.equal((await attempt('stormed', password)).kind, 'signed_in');
  });

  test('counts the right password of somebody disabled as the guess that it is', async () => {
    const user = await world.addUser('gone', password);
    await world.users.change(tester, user.id, { disabled: true });
    for (let guess = 0; guess < 4; guess++) await attempt('gone', `guess ${guess}`);
    const right = await attempt('gone', password);
    assert.equal(right.kind === 'refused' && right.code, 'sign_in_refused');
    const blocked = await attempt('gone', 'one more');
    assert.equal(blocked.kind === 'refused' && blocked.code, 'throttled');
  });

  test('lets somebody in during a storm whose password was right before', async () => {
    const user = await world.addUser('steady', password);
    const { person } = await world.enter('steady', password);
    for (let guess = 0; guess < 10; guess++) await attempt('steady', `guess ${guess}`, '203.0.113.7');
    assert.equal((await attempt('steady', password)).kind, 'signed_in');
    assert.equal((await world.signIn.confirm(person, password)).kind, 'person');
    // Remembered is only that it may be looked at: it still has to be right.
    await world.users.setPassword(tester, user.id, 'a new password');
    const former = await attempt('steady', password);
    assert.equal(former.kind === 'refused' && former.code, 'throttled');
  });

  test('checks no more passwords of one account at a time than may be wrong', async () => {
    await world.addUser('crowded', password);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => attempt('crowded', `guess ${at}`)),
    );
    const codes = answers.map((answer) => answer.kind === 'refused' && answer.code);
    assert.equal(codes.filter((code) => code === 'sign_in_refused').length, 5);
    assert.equal(codes.filter((code) => code === 'throttled').length, 7);
  });

  test('a session ends when idle, at its absolute end, and with its user', async () => {
    const user = await world.addUser('timed', password);
    const idle = await world.enter('timed', password);
    world.clock.advance(12 * 3_600_000);
    assert.equal(await world.signIn.recognise(idle.secret, browser), null);

    const lasting = await world.enter('timed', password);
    for (let hours = 0; hours < 167; hours++) {
      world.clock.advance(3_600_000);
      assert.notEqual(await world.signIn.recognise(lasting.secret, browser), null, `after ${hours} hours`);
    }
    world.clock.advance(3_600_000);
    assert.equal(await world.signIn.recognise(lasting.secret, browser), null);

    const shut = await world.enter('timed', password);
    await world.users.change(tester, user.id, { disabled: true });
    assert.equal(await world.signIn.recognise(shut.secret, browser), null);
    await world.users.change(tester, user.id, { disabled: false });
    assert.equal(await world.signIn.recognise(shut.secret, browser), null);
  });

  test('a confirmation counts for five minutes, and a wrong one not at all', async () => {
    await world.addUser('careful', password);
    const { secret, person } = await world.enter('careful', password);
    world.clock.advance(300_000);
    const stale = await world.signIn.recognise(secret, browser);
    assert.equal(stale?.isConfirmed, false);
    const refusal = await world.signIn.confirm(person, wrong);
    assert.equal(refusal.kind === 'refused' && refusal.code, 'sign_in_refused');
    assert.equal((await world.signIn.recognise(secret, browser))?.isConfirmed, false);
    const confirmed = await world.signIn.confirm(person, password);
    assert.equal(confirmed.kind === 'person' && confirmed.isConfirmed, true);
    assert.equal((await world.signIn.recognise(secret, browser))?.isConfirmed, true);
  });

  test("confirming takes the person's own password, nobody else's", async () => {
    await world.addUser('one', password);
    await world.addUser('two', 'the other password');
    const { person } = await world.enter('one', password);
    const answer = await world.signIn.confirm(person, 'the other password');
    assert.equal(answer.kind, 'refused');
  });

  test('wrong confirmations are counted as at sign-in', async () => {
    await world.addUser('hasty', password);
    const { person } = await world.enter('hasty', password);
    for (let guess = 0; guess < 5; guess++) await world.signIn.confirm(person, `guess ${guess}`);
    const answer = await world.signIn.confirm(person, 'one more');
    assert.equal(answer.kind === 'refused' && answer.code, 'throttled');
  });

  test('what somebody was about to do is kept sealed, and no longer than 16 KiB', async () => {
    await world.addUser('drafting', password);
    const { secret, person } = await world.enter('drafting', password);
    const draft = JSON.stringify({ password: 'for somebody new' });
    assert.equal(await world.signIn.keepDraft(person, draft), true);
    assert.equal((await world.signIn.recognise(secret, browser))?.session.draft, draft);
    const kept = await createSqliteSessionStore(world.database).listOf(person.user.id, world.clock.now(), 0);
    assert.doesNotMatch(JSON.stringify(kept), /somebody new/);
    assert.equal(await world.signIn.keepDraft(person, 'x'.repeat(16 * 1024 + 1)), false);
    await world.signIn.keepDraft(person, null);
    assert.equal((await world.signIn.recognise(secret, browser))?.session.draft, null);
  });

  test('signing out ends the session', async () => {
    await world.addUser('leaving', password);
    const { secret, person } = await world.enter('leaving', password);
    assert.equal(await world.signIn.signOut(person, 'https://tokens.example/'), null);
    assert.equal(await world.signIn.recognise(secret, browser), null);
  });

  test('asks every source about whoever is refused, and none behind the one that says yes', async () => {
    const [one, two] = [fakeSource('one'), fakeSource('two')];
    one.people.set('one', [password, 'one']);
    two.people.set('two', [password, 'two']);
    const ways = [one, { kind: 'local' } as const, two];
    const path = scratch.file('sources.db');
    const guessLimits = { perAccount: 50, perClient: 1_000, windowMs: 900_000 };
    const other = await openSignInWorld({ path, ways, guessLimits });
    try {
      const attemptAt = async (name: string, secret: string) => {
        for (const each of [one, two]) each.asked.length = 0;
        const answer = await other.signIn.withPassword(browser, name, secret, null);
        return [answer.kind, ...[one, two].filter(({ asked }) => asked.length > 0).map((each) => each.name)];
      };
      await other.addUser('local', password);
      assert.deepEqual(await attemptAt('one', password), ['signed_in', 'one']);
      assert.deepEqual(await attemptAt('two', password), ['signed_in', 'one', 'two']);
      const shut = await other.users.find('two');
      assert.ok(shut);
      await other.users.change(tester, shut.id, { disabled: true });
      for (const [name, secret] of [
        ['nobody', wrong],
        ['local', wrong],
        ['one', wrong],
        ['two', wrong],
        ['two', password],
      ] as const) {
        assert.deepEqual(await attemptAt(name, secret), ['refused', 'one', 'two'], `${name} ${secret}`);
      }
      assert.deepEqual(other.signIn.ways(), [{ kind: 'password', source: null, label: null }]);
    } finally {
      await other.close();
    }
  });

  test('counts a guess also while a source is away, where another one could say no', async () => {
    const [away, there] = [fakeSource('away'), fakeSource('there')];
    there.people.set('known', [password, 'known']);
    away.isAway = true;
    const path = scratch.file('away.db');
    const guessLimits = { perAccount: 3, perClient: 1_000, windowMs: 900_000 };
    const other = await openSignInWorld({ path, ways: [away, { kind: 'local' }, there], guessLimits });
    try {
      await other.addUser('local', password);
      const guess = (name: string, secret: string) =>
        other.signIn.withPassword(browser, name, secret, null).then(
          (answer) => (answer.kind === 'refused' ? answer.code : answer.kind),
          (error: unknown) => (error as Fault).code,
        );
      for (const name of ['local', 'known', 'nobody']) {
        for (let at = 0; at < 3; at++) assert.equal(await guess(name, `guess ${at}`), 'sign_in_unavailable');
      }
      assert.equal(await guess('local', 'one more'), 'throttled');
      assert.equal(await guess('known', 'one more'), 'throttled');
      // Whoever is kept there alone has guessed at nothing.
      assert.equal(await guess('nobody', 'one more'), 'sign_in_unavailable');
      away.people.set('nobody', [password, 'nobody']);
      away.isAway = false;
      assert.equal(await guess('nobody', password), 'signed_in');
    } finally {
      await other.close();
    }
  });

  test('counts no longer, nor does any link, once local users are no way in', async () => {
    await world.addUser('moved', password);
    const { secret } = await world.enter('moved', password);
    const without = await openSignInWorld({ path: scratch.file('latchkey.db'), ways: [] });
    try {
      assert.equal(await without.signIn.recognise(secret, browser), null);
      const answer = await without.signIn.withPassword(browser, 'moved', password, null);
      assert.equal(answer.kind === 'refused' && answer.code, 'sign_in_refused');
      assert.equal(await without.signIn.firstAdminLink(), null);
      const link = await world.signIn.firstAdminLink();
      assert.equal(await without.signIn.readLink(link ?? ''), null);
      const used = await without.signIn.useLink(browser, link ?? '', 'root', password, null);
      assert.equal(used.kind === 'refused' && used.code, 'link_used');
    } finally {
      await without.close();
    }
  });

  test('is the one way where nothing else is configured', () => {
    assert.deepEqual(world.signIn.ways(), [{ kind: 'password', source: null, label: null }]);
  });
});
