import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TokenId, UserId } from '../../src/core/ids.ts';
import type { AuditEvent } from '../../src/telemetry/audit.ts';
import type { AuditQuery, TokenOrder, TokenQuery, TokenRecord } from '../../src/tokens/token-store.ts';
import { auditEvent as event, epoch, tokenRecord, userRecord } from '../support/store-records.ts';
import type { StoreSubject } from './store-subject.ts';

const now = epoch + 1_000;

/** How every TokenStore finds tokens and audit events for people; run against each implementation. */
export function searchContract(name: string, open: () => Promise<StoreSubject>): void {
  describe(`TokenStore.search: ${name}`, () => tokenTests(open));
  describe(`TokenStore.searchAudit: ${name}`, () => auditTests(open));
}

function tokenTests(open: () => Promise<StoreSubject>): void {
  let subject: StoreSubject;
  let userId: UserId;
  before(async () => {
    subject = await open();
    const [user, other] = [userRecord('searcher'), userRecord('other')];
    userId = user.id;
    for (const each of [user, other]) await subject.users.insert(each, event('user.add'));
    const fields: readonly Partial<TokenRecord>[] = [
      { name: 'Änne’s phone', lastUsedClient: 'DAVx5/4.4', lastUsedAt: epoch + 3, prefix: 'lk_aBcD' },
      { name: 'backup 100%', lastUsedAt: epoch + 1, expiresAt: now + 5 },
      { name: 'Calendar', expiresAt: now, lastUsedClient: 'rclone/v1.60' },
      { name: 'off', enabled: false, expiresAt: now - 1 },
      { name: 'unused', deleteUnusedMs: 10 },
      { name: 'gone', revokedAt: epoch, prefix: 'lk_gone' },
      { name: 'later', notBefore: now + 9, expiresAt: now + 2 },
    ];
    for (const each of fields) await subject.tokens.insert(tokenRecord(userId, each), event('token.create'));
    await subject.tokens.insert(tokenRecord(other.id, { name: 'of other' }), event('token.create'));
  });
  after(() => subject.stop());

  const newest = { order: 'created', descending: true, limit: 100 } as const;
  async function names(query: Partial<TokenQuery> = {}): Promise<readonly string[]> {
    const { items } = await subject.tokens.search({ ...newest, userId, ...query }, now);
    return items.map(({ token }) => token.name);
  }

  test('all but revoked ones are found, newest first, with a total', async () => {
    const page = await subject.tokens.search({ ...newest, userId }, now);
    assert.deepEqual(
      page.items.map(({ token }) => token.name),
      ['later', 'unused', 'off', 'Calendar', 'backup 100%', 'Änne’s phone'],
    );
    assert.deepEqual([page.total, page.next], [6, null]);
    const [first] = page.items;
    assert.ok(first);
    assert.deepEqual(first, await subject.tokens.get(first.token.id));
  });

  test('without a user, everybody’s are found, and not counted', async () => {
    const page = await subject.tokens.search({ ...newest, limit: 2 }, now);
    assert.deepEqual(
      page.items.map(({ token }) => token.name),
      ['of other', 'later'],
    );
    assert.equal(page.total, null);
  });

  test('each state has its tokens', async () => {
    assert.deepEqual(await names({ state: 'active' }), ['later', 'backup 100%', 'Änne’s phone']);
    assert.deepEqual(await names({ state: 'off' }), ['off']);
    assert.deepEqual(await names({ state: 'expired' }), ['unused', 'Calendar']);
    assert.deepEqual(await names({ state: 'revoked' }), ['gone']);
  });

  test('tokens of somebody shut out are not active', async () => {
    const user = userRecord('shut-out', { lapsed: true });
    await subject.users.insert(user, event('e'));
    await subject.tokens.insert(tokenRecord(user.id), event('e'));
    assert.deepEqual(await names({ userId: user.id, state: 'active' }), []);
    assert.equal((await names({ userId: user.id })).length, 1);
  });

  test('a text is looked for in name and client in any case, and at the beginning of the prefix', async () => {
    assert.deepEqual(await names({ text: 'ÄNNE' }), ['Änne’s phone']);
    assert.deepEqual(await names({ text: 'PHONE' }), ['Änne’s phone']);
    assert.deepEqual(await names({ text: 'davX5' }), ['Änne’s phone']);
    assert.deepEqual(await names({ text: 'lk_aB' }), ['Änne’s phone']);
    assert.deepEqual(await names({ text: 'k_aB' }), []);
    assert.deepEqual(await names({ text: '%' }), ['backup 100%']);
    assert.deepEqual(await names({ text: '_' }), []);
    const page = await subject.tokens.search({ ...newest, userId, text: 'c', limit: 1 }, now);
    assert.deepEqual([page.total, page.items.length], [2, 1]);
  });

  test('orders put what has no key last, in both directions', async () => {
    const by = (order: TokenOrder, descending: boolean) => names({ order, descending });
    assert.deepEqual(await by('name', false), [
      ...['backup 100%', 'Calendar', 'later', 'off', 'unused', 'Änne’s phone'],
    ]);
    assert.deepEqual((await by('used', true)).slice(0, 2), ['Änne’s phone', 'backup 100%']);
    assert.deepEqual((await by('used', false)).slice(0, 2), ['backup 100%', 'Änne’s phone']);
    const ends = ['off', 'Calendar', 'later', 'backup 100%'];
    assert.deepEqual((await by('expires', false)).slice(0, 4), ends);
    assert.deepEqual((await by('expires', true)).slice(0, 4), ends.toReversed());
  });

  test('pages in every order follow each other without gap or overlap', async () => {
    for (const order of ['created', 'name', 'used', 'expires'] as const) {
      for (const descending of [true, false]) {
        for (const owner of [{ userId }, {}]) {
          const query = { order, descending, ...owner };
          const all = await subject.tokens.search({ ...query, limit: 100 }, now);
          const found: TokenId[] = [];
          let after: string | null = null;
          do {
            const page = await subject.tokens.search(
              { ...query, limit: 2, ...(after !== null && { after }) },
              now,
            );
            found.push(...page.items.map(({ token }) => token.id));
            assert.equal(page.total, all.total);
            after = page.next;
          } while (after !== null);
          assert.deepEqual(
            found,
            all.items.map(({ token }) => token.id),
            JSON.stringify(query),
          );
        }
      }
    }
  });

  test('a cursor that no page of this order gave is answered by an empty page', async () => {
    const { next } = await subject.tokens.search({ ...newest, userId, limit: 1 }, now);
    assert.ok(next !== null);
    for (const after of ['', '~', 'WzFd', `${next}x`.slice(4)])
      assert.deepEqual(await names({ after }), [], after);
    assert.deepEqual(await names({ after: next, order: 'name' }), []);
    assert.deepEqual(await names({ after: next, descending: false }), []);
    for (const key of oddNumbers) {
      const after = Buffer.from(`["used",1,0,${key},"a"]`).toString('base64url');
      assert.deepEqual(await names({ order: 'used', after }), [], key);
    }
  });
}

/** In a cursor that somebody has made up: no place of a list is one. */
const oddNumbers = ['1.5', '1e300', '1e400', '9007199254740992'];

function auditTests(open: () => Promise<StoreSubject>): void {
  let subject: StoreSubject;
  const userId = 'a user' as UserId;
  const tokenId = 'a token' as TokenId;
  const told: readonly Partial<AuditEvent>[] = [
    { action: 'token.create', userId, tokenId, at: epoch + 1 },
    { action: 'token.revoke', userId, tokenId, at: epoch + 2, actor: 'cli:root' },
    { action: 'user.disable', userId, at: epoch + 3, actor: 'cli:root' },
    { action: 'tokens.other', at: epoch + 4 },
    { action: 'token.create', tokenId: 'another' as TokenId, at: epoch + 5, actor: 'user:x' },
  ];
  before(async () => {
    subject = await open();
    for (const [at, fields] of told.entries()) {
      const added = await subject.users.insert(userRecord(`u${at}`), { ...event('e'), ...fields });
      assert.ok(added);
    }
  });
  after(() => subject.stop());

  async function times(query: Partial<AuditQuery>): Promise<readonly number[]> {
    const { items } = await subject.tokens.searchAudit({ limit: 100, ...query });
    return items.map(({ at }) => at - epoch);
  }

  test('events are found newest first, whole, without a total', async () => {
    assert.deepEqual(await times({}), [5, 4, 3, 2, 1]);
    const page = await subject.tokens.searchAudit({ limit: 1 });
    assert.deepEqual(page.items, [{ ...event('e'), ...told[4] }]);
    assert.equal(page.total, null);
  });

  test('every filter counts, alone and with others', async () => {
    assert.deepEqual(await times({ tokenId }), [2, 1]);
    assert.deepEqual(await times({ userId }), [3, 2, 1]);
    assert.deepEqual(await times({ action: 'token.create' }), [5, 1]);
    assert.deepEqual(await times({ action: 'token.' }), [5, 2, 1]);
    assert.deepEqual(await times({ action: 'token' }), []);
    assert.deepEqual(await times({ actor: 'cli:root' }), [3, 2]);
    assert.deepEqual(await times({ from: epoch + 2, before: epoch + 4 }), [3, 2]);
    const all = { userId, tokenId, actor: 'cli:root', action: 'token.', from: epoch, before: epoch + 9 };
    assert.deepEqual(await times(all), [2]);
    assert.deepEqual(await times({ ...all, action: 'token.revoke' }), [2]);
    assert.deepEqual(await times({ ...all, actor: 'cli' }), []);
  });

  test('a cursor that no page gave is answered by an empty page', async () => {
    for (const place of ['"a"', ...oddNumbers])
      assert.deepEqual(await times({ after: Buffer.from(`[${place}]`).toString('base64url') }), [], place);
  });

  test('pages follow each other without gap or overlap', async () => {
    for (const filter of [{}, { userId }, { action: 'token.' }]) {
      const found: number[] = [];
      let after: string | null = null;
      do {
        const page = await subject.tokens.searchAudit({
          ...filter,
          limit: 1,
          ...(after !== null && { after }),
        });
        found.push(...page.items.map(({ at }) => at - epoch));
        after = page.next;
      } while (after !== null);
      assert.deepEqual(found, await times(filter));
    }
  });

  test('a cursor that no page gave is answered by an empty page', async () => {
    for (const after of ['', 'x', 'WyJhIl0']) assert.deepEqual(await times({ after }), [], after);
  });
}
