import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Change } from '../../../src/core/change.ts';
import { Fault } from '../../../src/core/errors.ts';
import type { UserId } from '../../../src/core/ids.ts';
import type { Standing } from '../../../src/identity/source.ts';
import {
  type CheckedSource,
  createSourceCheck,
  type SourceCheck,
} from '../../../src/identity/source-check.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { browser, openSignInWorld, type SignInWorld } from '../../support/sign-in-world.ts';
import { auditEvent, userRecord } from '../../support/store-records.ts';

const interval = 300_000;

/** A source that says what the test wants, and remembers what it was asked. */
function oracle(kind: CheckedSource['kind'] = 'ldap') {
  const answers = new Map<string, Standing>();
  const asked: string[] = [];
  let fallback: Standing = { kind: 'stands' };
  const source: CheckedSource = {
    kind,
    name: kind,
    async standing({ subject, grant }) {
      asked.push(grant === null ? subject : `${subject} by ${grant}`);
      return answers.get(subject) ?? fallback;
    },
  };
  return { source, asked, answers, otherwise: (standing: Standing) => (fallback = standing) };
}

describe('asking sources about their users', () => {
  let scratch: Scratch;
  let world: SignInWorld;
  let announced: Change[];
  let slept: number[];
  let count = 0;
  before(async () => {
    scratch = await makeScratch('source-check');
  });
  after(() => scratch.remove());
  beforeEach(async () => {
    world = await openSignInWorld({ path: scratch.file(`latchkey-${count++}.db`) });
    announced = [];
    slept = [];
  });
  afterEach(() => world.close());

  const checking = (source: CheckedSource, store = world.userStore): SourceCheck =>
    createSourceCheck({
      ...{ sources: [source], store, clock: world.clock, dueMs: interval },
      announce: async (changes) => void announced.push(...changes),
      sealGrant: (grant) => world.sealer.seal('grant', grant),
      openGrant: (sealed) => world.sealer.open('grant', sealed),
      log: { info: () => undefined, warn: () => undefined },
      sleep: async (ms) => void slept.push(ms),
    });
  const added = async (subject: string, changes: Partial<UserRecord> = {}): Promise<UserRecord> => {
    const user = userRecord(`user-${subject}`, { source: 'ldap', subject, ...changes });
    assert.equal(await world.userStore.insert(user, auditEvent('test')), true);
    return user;
  };
  const now = async (id: UserId): Promise<UserRecord> => {
    const user = await world.userStore.get(id);
    assert.ok(user);
    return user;
  };

  test('ends sessions and tokens of who is gone, and makes it known', async () => {
    const { source, answers } = oracle();
    const gone = await added('gone');
    const stays = await added('stays');
    const minted = await world.mint(gone);
    const started = await world.sessions.start({
      ...{ user: gone, source: 'ldap', address: browser.address, userAgent: null },
      ...{ confirmed: true, signOut: null, replaces: null },
    });
    assert.ok(started);
    answers.set('gone', { kind: 'gone' });
    await checking(source).round();
    assert.deepEqual([(await now(gone.id)).lapsed, (await now(stays.id)).lapsed], [true, false]);
    assert.deepEqual(announced, [{ kind: 'user', userId: gone.id, version: 2 }]);
    assert.equal(await world.signIn.recognise(started.secret, browser), null);
    assert.equal((await world.bearer(minted.value)).kind, 'refused');
    const { items } = await world.tokens.searchAudit({ limit: 1 });
    assert.deepEqual([items[0]?.action, items[0]?.actor], ['user.lapse', 'source:ldap']);
  });

  test('asks about each once in an interval, also with several processes', async () => {
    const one = oracle();
    const other = oracle();
    for (let user = 0; user < 30; user++) await added(`u${user}`);
    await Promise.all([checking(one.source).round(), checking(other.source).round()]);
    const all = [...one.asked, ...other.asked];
    assert.equal(all.length, 30);
    assert.equal(new Set(all).size, 30);
    world.clock.advance(interval - 1);
    await checking(one.source).round();
    assert.equal(one.asked.length + other.asked.length, 30);
    world.clock.advance(2);
    await checking(one.source).round();
    assert.equal(one.asked.length + other.asked.length, 60);
  });

  test('pauses between portions, so that no source is asked more than 50 times a second', async () => {
    const { source, asked } = oracle();
    for (let user = 0; user < 60; user++) await added(`u${user}`);
    await checking(source).round();
    assert.equal(asked.length, 60);
    assert.deepEqual(slept, [500, 500]);
  });

  test('changes nothing by a source that cannot be asked, and soon leaves it alone', async () => {
    const { source, asked, otherwise } = oracle();
    otherwise({ kind: 'unknown' });
    const users = [];
    for (let user = 0; user < 10; user++) users.push(await added(`u${user}`));
    const check = checking(source);
    await check.round();
    assert.equal(asked.length, 3);
    assert.deepEqual(announced, []);
    // Whoever was not asked about is next.
    otherwise({ kind: 'stands' });
    world.clock.advance(1);
    await check.round();
    assert.equal(asked.length, 10);
    assert.equal(new Set(asked).size, 10);
    for (const { id, version } of users) assert.equal((await now(id)).version, version);
  });

  test('takes away and gives roles where the source decides them', async () => {
    const { source, answers } = oracle();
    const former = await added('former', { role: 'admin' });
    const next = await added('next');
    const silent = await added('silent', { role: 'admin' });
    answers.set('former', { kind: 'stands', isAdmin: false });
    answers.set('next', { kind: 'stands', isAdmin: true });
    answers.set('silent', { kind: 'stands', isAdmin: null });
    await checking(source).round();
    const roles = await Promise.all([former, next, silent].map(async ({ id }) => (await now(id)).role));
    assert.deepEqual(roles, ['user', 'admin', 'admin']);
  });

  test('asks a provider by the grant, keeps the new one sealed, and leaves alone whom it has none for', async () => {
    const { source, asked, answers } = oracle('oidc');
    const provider = { source: 'oidc', sourceGrant: world.sealer.seal('grant', 'grant one') };
    const granted = await added('granted', provider);
    await added('without', { source: 'oidc' });
    await added('unreadable', { source: 'oidc', sourceGrant: 'sealed by another' });
    answers.set('granted', { kind: 'unknown', grant: 'grant two' });
    const check = checking(source);
    await check.round();
    world.clock.advance(interval + 1);
    answers.set('granted', { kind: 'stands', grant: 'grant three' });
    await check.round();
    assert.deepEqual(asked, ['granted by grant one', 'granted by grant two']);
    const kept = (await now(granted.id)).sourceGrant ?? '';
    assert.equal(world.sealer.open('grant', kept), 'grant three');
    assert.doesNotMatch(kept, /three/);
  });

  test('does not lapse somebody who signed in while the former grant was asked by', async () => {
    const granted = await added('granted', {
      source: 'oidc',
      sourceGrant: world.sealer.seal('grant', 'old'),
    });
    const source: CheckedSource = {
      ...{ kind: 'oidc', name: 'oidc' },
      async standing() {
        await world.userStore.recordCheck(granted.id, world.clock.now(), world.sealer.seal('grant', 'new'));
        return { kind: 'gone' };
      },
    };
    await checking(source).round();
    assert.equal((await now(granted.id)).lapsed, false);
  });

  test('asks about nobody who is shut out already, nor about local users', async () => {
    const { source, asked } = oracle();
    await added('lapsed', { lapsed: true });
    await added('disabled', { disabled: true });
    await world.addUser('local');
    await checking(source).round();
    assert.deepEqual(asked, []);
  });

  test('survives a store that cannot be asked', async () => {
    const { source, asked } = oracle();
    await added('somebody');
    let isAway = true;
    const store = {
      ...world.userStore,
      claimForCheck: async (...args: Parameters<typeof world.userStore.claimForCheck>) => {
        if (isAway) throw new Fault('store_unavailable', 'away');
        return world.userStore.claimForCheck(...args);
      },
    };
    const check = checking(source, store);
    await check.round();
    assert.deepEqual(asked, []);
    isAway = false;
    await check.round();
    assert.deepEqual(asked, ['somebody']);
  });
});
