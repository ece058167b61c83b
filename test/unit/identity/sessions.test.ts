import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Fault } from '../../../src/core/errors.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { createSessions, type SessionStart, type StartedSession } from '../../../src/identity/sessions.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import { createSqliteSessionStore } from '../../../src/storage/sqlite/session-store.ts';
import { type ManagementWorld, openManagementWorld, worldLimits } from '../../support/management-world.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { tester } from '../../support/token-world.ts';

const minuteMs = 60_000;
const here = '192.0.2.1';
let scratch: Scratch;
let clock: SteppedClock;
let world: ManagementWorld;
let alice: UserRecord;
let count = 0;

before(async () => {
  scratch = await makeScratch('sessions');
  clock = steppedClock();
  world = await openManagementWorld({ path: scratch.file('latchkey.db'), clock });
});
after(async () => {
  world.database.close();
  await scratch.remove();
});
beforeEach(async () => {
  alice = await world.user(`alice${count++}`, undefined, null);
});

const tryStart = (change: Partial<SessionStart> = {}): Promise<StartedSession | null> =>
  world.sessions.start({
    ...{ user: alice, source: 'local', address: here, userAgent: 'Firefox' },
    ...{ confirmed: true, signOut: null, replaces: null, ...change },
  });
async function start(change: Partial<SessionStart> = {}): Promise<StartedSession> {
  const started = await tryStart(change);
  assert.ok(started !== null);
  return started;
}
const recognise = (secret: string, address = here) => world.sessions.recognise(secret, address);

describe('a session', () => {
  test('is recognised by its secret, with its user as it is by now', async () => {
    const { secret, session } = await start();
    await world.users.change(tester, alice.id, { role: 'admin' });
    const owned = await recognise(secret);
    assert.deepEqual(owned?.session, session);
    assert.equal(owned?.user.role, 'admin');
  });

  test('has 256 bits of secret, of which the store keeps a digest', async () => {
    const { secret, session } = await start();
    assert.equal(Buffer.from(secret, 'base64url').length, 32);
    assert.ok(!JSON.stringify(session).includes(secret));
    const rows = world.database.prepare('SELECT * FROM sessions').all();
    assert.ok(!JSON.stringify(rows).includes(secret));
  });

  test('is not found by any other text', async () => {
    const { secret, session } = await start();
    const others = ['', ' ', secret.slice(1), `${secret}A`, `${secret.slice(0, -1)}~`, session.secretDigest];
    for (const other of others) assert.equal(await recognise(other), null, other);
  });

  test('gets a new id and secret at every sign-in, and the one that the browser had ends [session fixation]', async () => {
    const first = await start();
    const second = await start({ replaces: first.secret });
    assert.notEqual(second.secret, first.secret);
    assert.notEqual(second.session.id, first.session.id);
    assert.equal(await recognise(first.secret), null);
    assert.notEqual(await recognise(second.secret), null);
  });

  test('of somebody else ends too where it was in the browser; a secret that was never given is not adopted', async () => {
    const mallory = await start({ user: await world.user(`mallory${count++}`, undefined, null) });
    const { secret } = await start({ replaces: mallory.secret });
    assert.equal(await recognise(mallory.secret), null);
    const planted = 'A'.repeat(43);
    assert.notEqual((await start({ replaces: planted })).secret, planted);
    assert.equal(await recognise(planted), null);
    assert.notEqual(await recognise(secret), null);
  });

  test('ends when idle for too long, not before, and every use puts that off', async () => {
    const { secret } = await start();
    for (let round = 0; round < 3; round++) {
      clock.advance(worldLimits.idleMs - 1);
      assert.notEqual(await recognise(secret), null);
    }
    clock.advance(worldLimits.idleMs);
    assert.equal(await recognise(secret), null);
    clock.stepWall(-minuteMs);
  });

  test('ends at its absolute end, in constant use', async () => {
    const { secret, session } = await start();
    while (clock.now() + worldLimits.idleMs / 2 < session.endsAt) {
      clock.advance(worldLimits.idleMs / 2);
      assert.notEqual(await recognise(secret), null);
    }
    clock.advance(session.endsAt - clock.now() - 1);
    assert.notEqual(await recognise(secret), null);
    clock.advance(1);
    assert.equal(await recognise(secret), null);
  });

  test('of who is shut out does not count, and does not come back when it is let in again', async () => {
    for (const shutOut of [{ disabled: true }, { lapsed: true }]) {
      const { secret } = await start();
      const event = {
        at: clock.now(),
        action: 'a',
        actor: 'test',
        userId: alice.id,
        tokenId: null,
        details: {},
      };
      await world.userStore.change(alice.id, shutOut, event);
      assert.equal(await recognise(secret), null);
      assert.equal(await tryStart(), null, 'nor does a new one start');
      await world.userStore.change(alice.id, { disabled: false, lapsed: false }, event);
      assert.equal(await recognise(secret), null);
    }
  });

  test('does not start with a password that was changed while it was being checked', async () => {
    const judged = { ...alice, passwordHash: 'what the password was checked against' };
    assert.equal(await tryStart({ user: judged }), null);
    assert.deepEqual(await world.sessions.listOf(alice.id), []);
  });

  test('goes on where its being seen cannot be written down, and ends the sooner for it', async () => {
    const { secret, session } = await start();
    const store = createSqliteSessionStore(world.database);
    const full = createSessions({
      ...{ clock, randomBytes: systemRandom, limits: worldLimits },
      store: { ...store, touch: () => Promise.reject(new Fault('store_unavailable', 'The disk is full.')) },
    });
    clock.advance(2 * minuteMs);
    assert.deepEqual((await full.recognise(secret, here))?.session, session);
    clock.advance(worldLimits.idleMs - 2 * minuteMs);
    assert.equal(await full.recognise(secret, here), null);
  });

  test('of a removed user does not count', async () => {
    const { secret } = await start();
    await world.users.remove(tester, alice.id);
    assert.equal(await recognise(secret), null);
  });

  test('notes when and from where it was seen, at most once a minute', async () => {
    const { secret, session } = await start();
    clock.advance(minuteMs - 1);
    assert.equal((await recognise(secret, '192.0.2.9'))?.session.seenAt, session.seenAt);
    clock.advance(1);
    const seen = (await recognise(secret, '192.0.2.9'))?.session;
    assert.deepEqual([seen?.seenAt, seen?.address], [clock.now(), '192.0.2.9']);
    const [listed] = await world.sessions.listOf(alice.id);
    assert.deepEqual([listed?.seenAt, listed?.address], [clock.now(), '192.0.2.9']);
  });

  test('is not kept fresh by a clock that was set back', async () => {
    const { secret } = await start();
    clock.stepWall(-worldLimits.idleMs);
    assert.equal((await recognise(secret))?.session.seenAt, clock.now());
    clock.advance(worldLimits.idleMs);
    assert.equal(await recognise(secret), null);
  });

  test('names its browser in one line of at most 200 characters', async () => {
    const { session } = await start({ userAgent: `a\u202eb${'x'.repeat(500)}` });
    assert.equal(session.client?.length, 200);
    assert.ok(session.client?.startsWith('a\\u202eb'));
  });
});

describe('a proof of presence', () => {
  test('counts for the time of confirmation, and anew when given again', async () => {
    const { session } = await start();
    assert.equal(world.sessions.isConfirmed(session), true);
    clock.advance(worldLimits.confirmationMs - 1);
    assert.equal(world.sessions.isConfirmed(session), true);
    clock.advance(1);
    assert.equal(world.sessions.isConfirmed(session), false);
    const again = await world.sessions.confirm(session);
    assert.equal(again !== null && world.sessions.isConfirmed(again), true);
  });

  test('is missing where nobody gave one', async () => {
    const { session, secret } = await start({ confirmed: false });
    assert.equal(world.sessions.isConfirmed(session), false);
    const owned = await recognise(secret);
    assert.equal(owned !== null && world.sessions.isConfirmed(owned.session), false);
  });

  test('from the future counts only within a minute', async () => {
    const { session } = await start();
    clock.stepWall(-minuteMs);
    assert.equal(world.sessions.isConfirmed(session), true);
    clock.stepWall(-1);
    assert.equal(world.sessions.isConfirmed(session), false);
    clock.stepWall(minuteMs + 1);
  });

  test('comes too late for a session that has ended', async () => {
    const { session } = await start();
    await world.sessions.end({ name: 'user:alice', address: here }, alice.id, session.id);
    assert.equal(await world.sessions.confirm(session), null);
    assert.equal(await world.sessions.keepDraft(session, '{}'), false);
  });
});

describe('ending sessions', () => {
  const actor = { name: 'user:alice', address: here };

  test('ends one of this user, leaves the others and those of others, and is audited once', async () => {
    const [one, two] = [await start(), await start()];
    const other = await world.user(`other${count++}`, undefined, null);
    assert.equal(await world.sessions.end(actor, other.id, one.session.id), null);
    assert.equal((await world.sessions.end(actor, alice.id, one.session.id))?.id, one.session.id);
    assert.equal(await world.sessions.end(actor, alice.id, one.session.id), null);
    assert.equal(await recognise(one.secret), null);
    assert.notEqual(await recognise(two.secret), null);
    const trail = await world.tokens.audit({ userId: alice.id, limit: 100 });
    assert.deepEqual(
      trail.filter(({ action }) => action === 'session.end').map(({ details }) => details),
      [{ address: here, session: one.session.id }],
    );
  });

  test('ends all, or all but one', async () => {
    const [one, two, three] = [await start(), await start(), await start()];
    assert.equal(await world.sessions.endAll(actor, alice.id, two.session.id), 2);
    assert.deepEqual(
      [await recognise(one.secret), (await recognise(two.secret))?.session.id, await recognise(three.secret)],
      [null, two.session.id, null],
    );
    assert.equal(await world.sessions.endAll(actor, alice.id, null), 1);
    assert.equal(await world.sessions.endAll(actor, alice.id, null), 0);
  });

  test('a new password ends all but the one that is kept', async () => {
    const [kept, other] = [await start(), await start()];
    await world.users.setPassword(tester, alice.id, 'a long password', kept.session.id);
    assert.notEqual(await recognise(kept.secret), null);
    assert.equal(await recognise(other.secret), null);
    await world.users.setPassword(tester, alice.id, 'another password');
    assert.equal(await recognise(kept.secret), null);
  });
});
