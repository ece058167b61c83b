import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { SecretDigest, SessionId } from '../../src/core/ids.ts';
import type { SessionRecord } from '../../src/identity/session-store.ts';
import type { UserPatch, UserRecord } from '../../src/identity/user-store.ts';
import { auditEvent as event, epoch, sessionRecord, userRecord } from '../support/store-records.ts';
import type { StoreSubject } from './store-subject.ts';

/** What every SessionStore keeps to; run against each implementation. */
export function sessionStoreContract(name: string, open: () => Promise<StoreSubject>): void {
  describe(`SessionStore: ${name}`, () => {
    let subject: StoreSubject;
    let user: UserRecord;
    before(async () => {
      subject = await open();
    });
    after(() => subject.stop());
    beforeEach(async () => {
      user = userRecord(randomUUID());
      await subject.users.insert(user, event('user.add'));
    });

    async function started(fields: Partial<SessionRecord> = {}): Promise<SessionRecord> {
      const session = sessionRecord(user.id, fields);
      await subject.sessions.insert(session, null, event('session.start', { userId: user.id }));
      return session;
    }

    async function idsOf(now: number, seenSince: number): Promise<readonly SessionId[]> {
      return (await subject.sessions.listOf(user.id, now, seenSince)).map(({ id }) => id);
    }

    async function actions(): Promise<readonly string[]> {
      const trail = await subject.tokens.audit({ userId: user.id, limit: 9 });
      return trail.map(({ action }) => action);
    }

    test('a session is found by the digest of its secret, whole and with its user', async () => {
      const fields = { confirmedAt: epoch, draft: '{"a":1}', signOut: 'sealed', client: null };
      const session = await started(fields);
      const owned = await subject.sessions.findByDigest(session.secretDigest);
      assert.deepEqual(owned, { session, user: { ...user, signedInAt: epoch } });
      assert.equal(await subject.sessions.findByDigest('other' as SecretDigest), null);
    });

    test('a start notes at the user when that was, without a new version', async () => {
      await started({ createdAt: epoch + 5 });
      assert.deepEqual(await subject.users.get(user.id), { ...user, signedInAt: epoch + 5 });
    });

    test('a start ends the session that it replaces', async () => {
      const former = await started();
      const session = sessionRecord(user.id);
      await subject.sessions.insert(session, former.id, event('session.start'));
      assert.deepEqual(await idsOf(epoch, 0), [session.id]);
      assert.equal(await subject.sessions.findByDigest(former.secretDigest), null);
    });

    test('of more than 100 sessions of one user, those seen longest ago end', async () => {
      const sessions: SessionRecord[] = [];
      for (let at = 0; at < 103; at++) sessions.push(await started({ seenAt: epoch + at }));
      assert.deepEqual(
        await idsOf(epoch, 0),
        sessions
          .slice(3)
          .toReversed()
          .map(({ id }) => id),
      );
    });

    test('none starts for a user who is shut out or removed, or has another password by now', async () => {
      const start = (judged?: Pick<UserRecord, 'passwordHash'>): Promise<boolean> =>
        subject.sessions.insert(sessionRecord(user.id), null, event('session.start'), judged);
      const change = (patch: UserPatch): Promise<unknown> => subject.users.change(user.id, patch, event('e'));
      assert.equal(await start({ passwordHash: null }), true);
      assert.equal(await start({ passwordHash: 'other' }), false);
      await change({ passwordHash: 'new' });
      assert.deepEqual(
        [await start({ passwordHash: null }), await start({ passwordHash: 'new' })],
        [false, true],
      );
      for (const shutOut of [{ disabled: true }, { disabled: false, lapsed: true }]) {
        await change(shutOut);
        assert.deepEqual([await start({ passwordHash: 'new' }), await start()], [false, false]);
      }
      await change({ lapsed: false });
      assert.equal(await start(), true);
      await subject.users.remove(user.id, event('e'));
      assert.equal(await start(), false);
      assert.deepEqual(await idsOf(epoch, 0), []);
    });

    test('the session of a removed user is not found; that of one shut out later is over', async () => {
      const session = await started();
      await subject.users.remove(user.id, event('e'));
      assert.equal(await subject.sessions.findByDigest(session.secretDigest), null);
    });

    test('a list has those that count, most recently seen first', async () => {
      const old = await started({ seenAt: epoch + 1 });
      const recent = await started({ seenAt: epoch + 9 });
      await started({ endsAt: epoch + 10 });
      await started({ seenAt: epoch });
      assert.deepEqual(await idsOf(epoch + 10, epoch), [recent.id, old.id]);
    });

    test('a touch changes what it names alone, without an audit event', async () => {
      const session = await started({ draft: 'a draft' });
      const seen = { seenAt: epoch + 7, address: '2001:db8::1' };
      assert.equal(await subject.sessions.touch(session.id, seen), true);
      const owned = await subject.sessions.findByDigest(session.secretDigest);
      assert.deepEqual(owned?.session, { ...session, ...seen });
      const confirmed = { confirmedAt: epoch + 8, draft: null };
      assert.equal(await subject.sessions.touch(session.id, confirmed), true);
      const after = await subject.sessions.findByDigest(session.secretDigest);
      assert.deepEqual(after?.session, { ...session, ...seen, ...confirmed });
      assert.deepEqual(await actions(), ['session.start']);
      assert.equal(await subject.sessions.touch(randomUUID() as string as SessionId, seen), false);
    });

    test('an end is of one session, and only where the user has it', async () => {
      const [session, other] = [await started(), await started()];
      const stranger = userRecord(randomUUID());
      await subject.users.insert(stranger, event('e'));
      const end = event('session.end', { userId: user.id });
      assert.equal(await subject.sessions.end(session.id, stranger.id, end), null);
      assert.deepEqual(await subject.sessions.end(session.id, user.id, end), session);
      assert.equal(await subject.sessions.end(session.id, user.id, end), null);
      assert.deepEqual(await idsOf(epoch, 0), [other.id]);
      assert.deepEqual(await actions(), ['session.end', 'session.start', 'session.start']);
    });

    test('an end of all spares the one named, and tells of it only where there were any', async () => {
      const [, kept] = [await started(), await started()];
      const end = event('session.end_all', { userId: user.id });
      assert.equal(await subject.sessions.endAll(user.id, kept.id, end), 1);
      assert.equal(await subject.sessions.endAll(user.id, kept.id, end), 0);
      assert.deepEqual(await idsOf(epoch, 0), [kept.id]);
      assert.equal(await subject.sessions.endAll(user.id, null, end), 1);
      assert.equal((await actions()).filter((action) => action === 'session.end_all').length, 2);
    });

    test('what is over is forgotten, so many at a time', async () => {
      const counting = await started({ seenAt: epoch + 100, endsAt: epoch + 200 });
      const over = { seenAt: epoch + 100, endsAt: epoch + 150 };
      const all = [counting, await started(over), await started({ endsAt: epoch + 200, seenAt: epoch + 50 })];
      assert.ok((await subject.sessions.prune(epoch + 150, epoch + 50, 1)) <= 1);
      while ((await subject.sessions.prune(epoch + 150, epoch + 50, 1)) > 0);
      const left: (SessionId | undefined)[] = [];
      for (const { secretDigest } of all) {
        left.push((await subject.sessions.findByDigest(secretDigest))?.session.id);
      }
      assert.deepEqual(left, [counting.id, undefined, undefined]);
    });
  });
}
