import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { UserId } from '../../src/core/ids.ts';
import type { UserQuery, UserRecord } from '../../src/identity/user-store.ts';
import { auditEvent as event, epoch, sessionRecord, userRecord } from '../support/store-records.ts';
import type { StoreSubject } from './store-subject.ts';

const everything: Partial<UserRecord> = {
  displayName: 'Émile Zátopek',
  email: 'Emile@Example.org',
  language: 'de',
  role: 'admin',
  source: 'company',
  subject: 'subject-1',
  passwordHash: 'a hash',
  lapsed: true,
  mayHaveTokens: false,
  signedInAt: epoch + 1,
  sourceGrant: 'sealed',
  sourceCheckedAt: epoch + 2,
};

/** What every UserStore keeps to beside what tokens need of it; run against each implementation. */
export function userStoreContract(name: string, open: () => Promise<StoreSubject>): void {
  describe(`UserStore: ${name}`, () => {
    let subject: StoreSubject;
    before(async () => {
      subject = await open();
    });
    after(() => subject.stop());

    async function added(userName: string, fields: Partial<UserRecord> = {}): Promise<UserRecord> {
      const user = userRecord(userName, fields);
      assert.equal(await subject.users.insert(user, event('user.add', { userId: user.id })), true);
      return user;
    }

    async function found(query: Partial<UserQuery>): Promise<readonly string[]> {
      const page = await subject.users.search({ limit: 1_000, ...query });
      return page.items.map((user) => user.name);
    }

    test('a user is returned as it was inserted, with every field', async () => {
      const user = await added('whole', everything);
      assert.deepEqual(await subject.users.get(user.id), user);
      const plain = await added('plain', { mayHaveTokens: true });
      assert.deepEqual(await subject.users.get(plain.id), plain);
    });

    test('a change touches the fields of its patch alone, and false is kept apart from null', async () => {
      const user = await added('changing', { email: 'a@example.org' });
      const patch = { displayName: 'C', role: 'admin', mayHaveTokens: false } as const;
      const changed = await subject.users.change(user.id, patch, event('user.change'));
      assert.deepEqual(changed, { ...user, ...patch, version: 2 });
      assert.deepEqual(await subject.users.get(user.id), changed);
      const cleared = { email: null, mayHaveTokens: null };
      const bare = await subject.users.change(user.id, cleared, event('user.change'));
      assert.deepEqual(bare, { ...user, ...patch, ...cleared, version: 3 });
    });

    test('a user is found by what its source calls it, until it is removed', async () => {
      const user = await added('from-ldap', { source: 'ldap', subject: 'uuid-7' });
      assert.deepEqual(await subject.users.findBySubject('ldap', 'uuid-7'), user);
      assert.equal(await subject.users.findBySubject('other', 'uuid-7'), null);
      assert.equal(await subject.users.findBySubject('ldap', 'UUID-7'), null);
      await subject.users.remove(user.id, event('user.remove'));
      assert.equal(await subject.users.findBySubject('ldap', 'uuid-7'), null);
      await added('from-ldap', { source: 'ldap', subject: 'uuid-7' });
    });

    test('one source calls no two users the same, whatever their names', async () => {
      await added('first-of-two', { source: 'oidc', subject: 's' });
      const second = userRecord('second-of-two', { source: 'oidc', subject: 's' });
      assert.equal(await subject.users.insert(second, event('e')), false);
      assert.equal(await subject.users.get(second.id), null);
      await added('second-of-two', { source: 'another', subject: 's' });
    });

    test('a guard sees the user as it is, and its no changes nothing', async () => {
      const user = await added('guarded');
      const seen: UserRecord[] = [];
      const no = (current: UserRecord): boolean => {
        seen.push(current);
        return false;
      };
      assert.equal(await subject.users.change(user.id, { role: 'admin' }, event('e'), { guard: no }), null);
      assert.equal(await subject.users.remove(user.id, event('e'), no), null);
      assert.deepEqual(seen, [user, user]);
      assert.deepEqual(await subject.users.get(user.id), user);
      const yes = await subject.users.change(user.id, { role: 'admin' }, event('e'), { guard: () => true });
      assert.equal(yes?.role, 'admin');
    });

    test('an end of somebody shut out ends sessions: at being shut out, and at being let in again', async () => {
      const user = await added('with-sessions');
      const left = async (): Promise<number> => (await subject.sessions.listOf(user.id, epoch, 0)).length;
      for (const patch of [{ lapsed: true }, { lapsed: false }, { disabled: true }, { disabled: false }]) {
        await subject.sessions.insert(sessionRecord(user.id), null, event('session.start'));
        await subject.users.change(user.id, patch, event('e'));
        assert.equal(await left(), 0, JSON.stringify(patch));
      }
      await subject.sessions.insert(sessionRecord(user.id), null, event('session.start'));
      await subject.users.change(user.id, { displayName: 'W' }, event('e'));
      assert.equal(await left(), 1);
      await subject.users.remove(user.id, event('e'));
      assert.equal(await left(), 0);
    });

    test('a new password ends all sessions but the one that keeps', async () => {
      const user = await added('with-password');
      const [kept, other] = [sessionRecord(user.id), sessionRecord(user.id)];
      for (const session of [kept, other]) await subject.sessions.insert(session, null, event('e'));
      await subject.users.change(user.id, { passwordHash: 'a' }, event('e'), { keeps: kept.id });
      const left = async () => (await subject.sessions.listOf(user.id, epoch, 0)).map(({ id }) => id);
      assert.deepEqual(await left(), [kept.id]);
      await subject.users.change(user.id, { passwordHash: 'b' }, event('e'));
      assert.deepEqual(await left(), []);
    });

    test('names are known also of removed users, and of nobody unknown', async () => {
      const [one, gone] = [await added('Named'), await added('named-and-gone')];
      await subject.users.remove(gone.id, event('e'));
      const names = await subject.users.namesOf([one.id, gone.id, userRecord('never').id]);
      assert.equal(names.size, 2);
      assert.deepEqual([names.get(one.id), names.get(gone.id)], ['Named', 'named-and-gone']);
    });

    test('a search finds parts of login name, display name and mail address in any case', async () => {
      await added('zoe', { displayName: 'Žofie Müller-Å', email: 'Zofie@sub.Example.COM' });
      for (const text of ['ZO', 'žofie', 'MÜLLER', 'müller-å', 'zofie@SUB', 'example.com']) {
        assert.ok((await found({ text })).includes('zoe'), text);
      }
      for (const text of ['zoe zofie', 'nobody']) assert.deepEqual(await found({ text }), [], text);
    });

    test('a search takes %, _, \\ and quotes for what they are', async () => {
      await added('100%_sure');
      assert.deepEqual(await found({ text: '%_' }), ['100%_sure']);
      assert.deepEqual(await found({ text: '0_sure' }), []);
      assert.deepEqual(await found({ text: `'` }), []);
      assert.deepEqual(await found({ text: '\\' }), []);
    });

    test('a search keeps to source, role, and who is shut out', async () => {
      await added('f-admin', { source: 'f', subject: '1', role: 'admin' });
      await added('f-disabled', { source: 'f', subject: '2', disabled: true });
      await added('f-lapsed', { source: 'f', subject: '3', lapsed: true, role: 'admin' });
      assert.deepEqual(await found({ source: 'f' }), ['f-admin', 'f-disabled', 'f-lapsed']);
      assert.deepEqual(await found({ source: 'f', role: 'admin' }), ['f-admin', 'f-lapsed']);
      assert.deepEqual(await found({ source: 'f', role: 'user' }), ['f-disabled']);
      assert.deepEqual(await found({ source: 'f', shutOut: true }), ['f-disabled', 'f-lapsed']);
      assert.deepEqual(await found({ source: 'f', shutOut: false, text: 'F-' }), ['f-admin']);
    });

    test('a search no longer finds who is removed, and finds changed names only', async () => {
      const user = await added('renamed', { displayName: 'Former' });
      await subject.users.change(user.id, { displayName: 'Latter' }, event('e'));
      assert.deepEqual(await found({ text: 'former' }), []);
      assert.deepEqual(await found({ text: 'latter' }), ['renamed']);
      await subject.users.remove(user.id, event('e'));
      assert.deepEqual(await found({ text: 'latter' }), []);
    });

    test('pages follow each other without gap or overlap, also while users come and go', async () => {
      for (let at = 0; at < 7; at++) await added(`page-${at}`);
      const first = await subject.users.search({ text: 'page-', limit: 3 });
      assert.deepEqual(
        first.items.map((user) => user.name),
        ['page-0', 'page-1', 'page-2'],
      );
      await subject.users.remove(first.items[2]?.id as UserId, event('e'));
      await added('page-00');
      const second = await subject.users.search({ text: 'page-', limit: 4, after: first.next ?? '' });
      assert.deepEqual(
        second.items.map((user) => user.name),
        ['page-3', 'page-4', 'page-5', 'page-6'],
      );
      assert.equal(second.next, null);
    });

    test('a cursor that no page gave is answered by an empty page', async () => {
      for (const after of ['', 'x', 'WzFd', Buffer.from('["a","b"]').toString('base64url')]) {
        const page = await subject.users.search({ limit: 3, after });
        assert.deepEqual(page, { items: [], next: null, total: null }, after);
      }
    });

    test('those a source was asked about longest ago come first, and only those due', async () => {
      const at = (minutes: number): number => epoch + minutes * 60_000;
      await added('d-late', { source: 'd', subject: '1', sourceCheckedAt: at(9) });
      const early = await added('d-early', { source: 'd', subject: '2', sourceCheckedAt: at(1) });
      const never = await added('d-never', { source: 'd', subject: '3' });
      await added('d-other', { source: 'd2', subject: '4' });
      const claim = async (before: number, limit: number, now: number): Promise<readonly string[]> =>
        (await subject.users.claimForCheck('d', before, limit, now)).map((user) => user.name);
      assert.deepEqual(await claim(at(9), 1, at(10)), ['d-never']);
      assert.deepEqual(await claim(at(9), 9, at(11)), ['d-early']);
      assert.deepEqual(await claim(at(9), 9, at(11)), []);
      assert.deepEqual(await claim(at(12), 9, at(12)), ['d-late', 'd-never', 'd-early']);
      await subject.users.recordCheck(never.id, at(12), 'new grant');
      await subject.users.recordCheck(early.id, at(13));
      const [claimed] = await subject.users.claimForCheck('d', at(13), 1, at(20));
      assert.equal(claimed?.sourceCheckedAt, at(12), 'as it was before');
      await subject.users.recordCheck(never.id, at(12));
      const checked = { sourceCheckedAt: at(12), sourceGrant: 'new grant' };
      assert.deepEqual(await subject.users.get(never.id), { ...never, ...checked });
      await subject.users.recordCheck(never.id, at(15), null);
      assert.equal((await subject.users.get(never.id))?.sourceGrant, null);
    });
  });

  describe(`UserStore of an empty store: ${name}`, () => {
    test('there is somebody, or an admin, only while one is not shut out', async () => {
      const subject = await open();
      try {
        assert.equal(await subject.users.hasAny(), false);
        const user = userRecord('somebody', { role: 'admin' });
        await subject.users.insert(user, event('e'));
        assert.deepEqual([await subject.users.hasAny(), await subject.users.hasAny('admin')], [true, true]);
        await subject.users.change(user.id, { role: 'user' }, event('e'));
        assert.deepEqual([await subject.users.hasAny(), await subject.users.hasAny('admin')], [true, false]);
        await subject.users.change(user.id, { role: 'admin', lapsed: true }, event('e'));
        assert.deepEqual([await subject.users.hasAny(), await subject.users.hasAny('admin')], [false, false]);
        await subject.users.change(user.id, { lapsed: false }, event('e'));
        await subject.users.remove(user.id, event('e'));
        assert.deepEqual([await subject.users.hasAny(), await subject.users.hasAny('admin')], [false, false]);
      } finally {
        await subject.stop();
      }
    });

    test('a guard knows whether another admin is left who can sign in', async () => {
      const subject = await open();
      try {
        const user = userRecord('the-admin', { role: 'admin', passwordHash: 'h' });
        await subject.users.insert(user, event('e'));
        const answers: boolean[] = [];
        const ask = async (): Promise<boolean> => {
          const guard = (_user: UserRecord, hasOtherAdmin: () => boolean): boolean => {
            answers.push(hasOtherAdmin());
            return false;
          };
          await subject.users.change(user.id, {}, event('e'), { guard });
          return answers.at(-1) === true;
        };
        await subject.users.insert(userRecord('no-password', { role: 'admin' }), event('e'));
        const out = { role: 'admin', passwordHash: 'h', disabled: true } as const;
        await subject.users.insert(userRecord('shut-out', out), event('e'));
        await subject.users.insert(userRecord('no-admin', { passwordHash: 'h' }), event('e'));
        assert.equal(await ask(), false);
        const elsewhere = userRecord('elsewhere', { role: 'admin', source: 'ldap', subject: '1' });
        await subject.users.insert(elsewhere, event('e'));
        assert.equal(await ask(), true);
        await subject.users.remove(elsewhere.id, event('e'));
        assert.equal(await ask(), false);
      } finally {
        await subject.stop();
      }
    });
  });
}
