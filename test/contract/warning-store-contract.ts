import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { UserRecord } from '../../src/identity/user-store.ts';
import type { TokenRecord } from '../../src/tokens/token-store.ts';
import type { DueWarning } from '../../src/tokens/warning-store.ts';
import { auditEvent as event, epoch, tokenRecord, userRecord } from '../support/store-records.ts';
import type { StoreSubject } from './store-subject.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const now = epoch + 100 * dayMs;

/** What every WarningStore keeps to; run against each implementation. */
export function warningStoreContract(name: string, open: () => Promise<StoreSubject>): void {
  describe(`WarningStore: ${name}`, () => {
    let subject: StoreSubject;
    let owner: UserRecord;
    before(async () => {
      subject = await open();
    });
    after(() => subject.stop());
    beforeEach(async () => {
      // What former tests have left must not be due any more.
      for (const { token } of await subject.tokens.list({ limit: 1_000 })) await revoke(token);
      owner = userRecord(randomUUID(), { displayName: 'O.', email: 'o@example.org', language: 'de' });
      await subject.users.insert(owner, event('user.add'));
    });

    async function revoke({ id }: TokenRecord): Promise<void> {
      await subject.tokens.change([id], () => ({ patch: { revokedAt: epoch }, event: event('e') }));
    }

    async function ending(expiresAt: number, fields: Partial<TokenRecord> = {}): Promise<TokenRecord> {
      const token = tokenRecord(owner.id, { expiresAt, ...fields });
      await subject.tokens.insert(token, event('token.create'));
      return token;
    }

    const claim = (at = now, days: readonly number[] = [7, 1], limit = 100) =>
      subject.warnings.claim('mail', days, at, limit);
    const named = (claimed: readonly DueWarning[]) =>
      claimed.map(({ owned, days }) => [owned.token.id, days]);
    const conclude = ({ owned, days }: DueWarning) =>
      subject.warnings.sent(owned.token.id, owned.token.expiresAt ?? 0, days, 'mail', now);

    test('warns of tokens that end within the days, soonest first, with what a mail needs', async () => {
      const late = await ending(now + 7 * dayMs);
      const soon = await ending(now + dayMs);
      await ending(now + 7 * dayMs + 1);
      await ending(now);
      const claimed = await claim();
      assert.deepEqual(named(claimed), [
        [soon.id, 1],
        [late.id, 7],
      ]);
      const { displayName, email, language } = owner;
      assert.deepEqual(claimed[0], {
        owned: await subject.tokens.get(soon.id),
        owner: { displayName, email, language },
        days: 1,
        channel: 'mail',
      });
    });

    test('warns once at each distance and for each end, over all processes', async () => {
      const token = await ending(now + 6 * dayMs);
      const first = await claim();
      assert.deepEqual(named(first), [[token.id, 7]]);
      for (const warning of first) await conclude(warning);
      assert.deepEqual(await subject.other.warnings.claim('mail', [7, 1], now + dayMs, 9), []);
      assert.deepEqual(named(await claim(now + 5 * dayMs)), [[token.id, 1]]);
      const patch = { expiresAt: now + 12 * dayMs };
      await subject.tokens.change([token.id], () => ({ patch, event: event('e') }));
      assert.deepEqual(named(await claim(now + 5 * dayMs)), [[token.id, 7]]);
    });

    test('keeps the channels apart', async () => {
      const token = await ending(now + dayMs);
      for (const warning of await claim()) await conclude(warning);
      const other = await subject.warnings.claim('webhook', [7, 1], now, 9);
      assert.deepEqual(
        other.map(({ owned, channel }) => [owned.token.id, channel]),
        [[token.id, 'webhook']],
      );
    });

    test('gives no two callers the same', async () => {
      const tokens: TokenRecord[] = [];
      for (let at = 0; at < 20; at++) tokens.push(await ending(now + dayMs - at));
      const stores = Array.from({ length: 6 }, (_, at) => (at % 2 === 0 ? subject : subject.other).warnings);
      const claimed = (await Promise.all(stores.map((store) => store.claim('mail', [1], now, 8)))).flat();
      const ids = claimed.map(({ owned }) => owned.token.id);
      assert.equal(new Set(ids).size, ids.length);
      for (let more = await claim(); more.length > 0; more = await claim()) {
        ids.push(...more.map(({ owned }) => owned.token.id));
      }
      assert.deepEqual(ids.toSorted(), tokens.map(({ id }) => id).toSorted());
    });

    test('offers a claim that was not concluded again after ever longer waits, five times in all', async () => {
      const token = await ending(now + dayMs);
      const waits = [10, 40, 160, 640].map((minutes) => minutes * minuteMs);
      assert.deepEqual(named(await claim(now, [1])), [[token.id, 1]]);
      let at = now;
      for (const wait of waits) {
        assert.deepEqual(await claim(at + wait - 1, [1]), [], String(wait));
        at += wait;
        assert.deepEqual(named(await claim(at, [1])), [[token.id, 1]], String(wait));
      }
      assert.deepEqual(await claim(now + dayMs - 1, [1]), []);
    });

    test('says nothing of tokens that cannot be used anyway', async () => {
      const out = userRecord(randomUUID(), { lapsed: true });
      await subject.users.insert(out, event('e'));
      await ending(now + dayMs, { enabled: false });
      await ending(now + dayMs, { revokedAt: epoch });
      await ending(now + dayMs, { userId: out.id });
      await ending(now + dayMs, { deleteUnusedMs: dayMs });
      assert.deepEqual(await claim(), []);
    });

    test('says nothing with the making of a token that lives no longer than that', async () => {
      const brief = await ending(now + 7 * dayMs, { createdAt: now });
      await ending(now + dayMs, { createdAt: now });
      assert.deepEqual(await claim(), []);
      assert.deepEqual(named(await claim(now + 6 * dayMs)), [[brief.id, 1]]);
    });

    test('says nothing of a sliding window no longer than that, but of its absolute end', async () => {
      const week = { slidingMs: 7 * dayMs };
      await ending(now + 7 * dayMs, week);
      const last = await ending(now + 6 * dayMs, { ...week, until: now + 6 * dayMs });
      const unused = await ending(now + dayMs, week);
      assert.deepEqual(named(await claim()), [
        [unused.id, 1],
        [last.id, 7],
      ]);
    });

    test('finds what is due behind any number of tokens that were warned of', async () => {
      for (let at = 0; at < 60; at++) await ending(now + dayMs + at);
      for (const warning of await claim(now, [7], 1_000)) await conclude(warning);
      const token = await ending(now + 2 * dayMs);
      assert.deepEqual(named(await claim(now, [7], 1)), [[token.id, 7]]);
    });

    test('forgets warnings of past ends, so many at a time', async () => {
      await ending(now + 1_000);
      await ending(now + 2_000);
      await claim();
      while ((await subject.warnings.prune(now + 1_000, 100)) > 0);
      assert.equal(await subject.warnings.prune(now + 1_001, 100), 1);
      assert.equal(await subject.warnings.prune(now + dayMs, 1), 1);
    });
  });
}
