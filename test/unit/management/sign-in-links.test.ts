import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { systemRandom } from '../../../src/core/random.ts';
import { issueLink } from '../../../src/identity/one-time-links.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { browser, openSignInWorld, type SignInWorld } from '../../support/sign-in-world.ts';
import { tester } from '../../support/token-world.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';

const password = 'a long password';
const day = 24 * 3_600_000;

describe('one-time links', () => {
  let scratch: Scratch;
  let world: SignInWorld;
  let count = 0;
  before(async () => {
    scratch = await makeScratch('sign-in-links');
  });
  after(() => scratch.remove());
  beforeEach(async () => {
    world = await openSignInWorld({ path: scratch.file(`latchkey-${count++}.db`) });
  });
  afterEach(() => world.close());

  const firstAdminLink = async (): Promise<string> => {
    const secret = await world.signIn.firstAdminLink();
    assert.ok(secret);
    return secret;
  };
  const passwordLink = (user: UserRecord): Promise<string> =>
    issueLink(
      { links: world.links, clock: world.clock, randomBytes: systemRandom },
      tester,
      'set-password',
      user.id,
    );
  const use = (secret: string, name: string | null = 'root', chosen = password) =>
    world.signIn.useLink(browser, secret, name, chosen, null);

  test('make the first admin, who is signed in but has proved nothing yet', async () => {
    const secret = await firstAdminLink();
    assert.deepEqual(await world.signIn.readLink(secret), { purpose: 'first-admin', userName: null });
    const used = await use(secret);
    assert.ok(used.kind === 'signed_in');
    assert.deepEqual([used.person.user.name, used.person.user.role], ['root', 'admin']);
    assert.equal(used.person.isConfirmed, false);
    assert.equal((await world.enter('root', password)).person.user.id, used.person.user.id);
  });

  test('work once', async () => {
    const secret = await firstAdminLink();
    await use(secret);
    assert.equal(await world.signIn.readLink(secret), null);
    const replayed = await use(secret, 'intruder');
    assert.equal(replayed.kind === 'refused' && replayed.code, 'link_used');
    assert.equal(await world.users.find('intruder'), null);
  });

  test('end the session that the browser had, whoever’s it was', async () => {
    await world.users.add(tester, 'alice', password);
    const before = await world.enter('alice', password);
    const used = await world.signIn.useLink(browser, await firstAdminLink(), 'root', password, before.secret);
    assert.equal(used.kind, 'signed_in');
    assert.equal(await world.signIn.recognise(before.secret, browser), null);
  });

  test('of several who use one at the same moment, one gets it', async () => {
    const secret = await firstAdminLink();
    const outcomes = await Promise.all(['first', 'second', 'third'].map((name) => use(secret, name)));
    assert.equal(outcomes.filter(({ kind }) => kind === 'signed_in').length, 1);
  });

  test('all of them for the first admin are void once there is one', async () => {
    const [one, two] = [await firstAdminLink(), await firstAdminLink()];
    await use(one);
    assert.equal(await world.signIn.readLink(two), null);
    const late = await use(two, 'intruder');
    assert.equal(late.kind === 'refused' && late.code, 'link_used');
    assert.equal(await world.signIn.firstAdminLink(), null);
  });

  test('are good for a day', async () => {
    const secret = await firstAdminLink();
    world.clock.advance(day - 1);
    assert.notEqual(await world.signIn.readLink(secret), null);
    world.clock.advance(1);
    assert.equal(await world.signIn.readLink(secret), null);
    const late = await use(secret);
    assert.equal(late.kind === 'refused' && late.code, 'link_used');
  });

  test('survive a name or password that cannot be', async () => {
    const secret = await firstAdminLink();
    await world.addUser('taken');
    for (const [name, chosen, code] of [
      ['root', 'short', 'bad_request'],
      ['a:b', password, 'bad_request'],
      [null, password, 'bad_request'],
      ['TAKEN', password, 'conflict'],
    ] as const) {
      const answer = await use(secret, name, chosen);
      assert.equal(answer.kind === 'refused' && answer.code, code, `${name} ${chosen}`);
    }
    assert.equal((await use(secret)).kind, 'signed_in');
  });

  test('that were never made are refused like used ones', async () => {
    for (const secret of ['', 'x', 'A'.repeat(43), 'A'.repeat(44), "' OR 1=1 --"]) {
      assert.equal(await world.signIn.readLink(secret), null);
      const answer = await use(secret);
      assert.equal(answer.kind === 'refused' && answer.code, 'link_used', secret);
    }
  });

  test('set a password, which ends every session there was', async () => {
    const user = await world.addUser('alice', 'the former password');
    const former = await world.enter('alice', 'the former password');
    const secret = await passwordLink(user);
    assert.deepEqual(await world.signIn.readLink(secret), { purpose: 'set-password', userName: 'alice' });
    const used = await use(secret, null);
    assert.ok(used.kind === 'signed_in');
    assert.equal(used.person.user.id, user.id);
    assert.equal(await world.signIn.recognise(former.secret, browser), null);
    assert.notEqual(await world.signIn.recognise(used.secret, browser), null);
    await assert.rejects(world.enter('alice', 'the former password'));
    assert.equal((await world.enter('alice', password)).kind, 'signed_in');
    const replayed = await use(secret, null, 'a third password');
    assert.equal(replayed.kind === 'refused' && replayed.code, 'link_used');
  });

  test('are void for users who are disabled or removed', async () => {
    const user = await world.addUser('bob', 'the former password');
    const secret = await passwordLink(user);
    await world.users.change(tester, user.id, { disabled: true });
    assert.equal(await world.signIn.readLink(secret), null);
    const refusal = await use(secret, null);
    assert.equal(refusal.kind === 'refused' && refusal.code, 'link_used');
    await world.users.change(tester, user.id, { disabled: false });
    await world.users.remove(tester, user.id);
    assert.equal(await world.signIn.readLink(secret), null);
  });
});
