import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { PepperId, TokenDigest, TokenId } from '../../src/core/ids.ts';
import type { UserRecord } from '../../src/identity/user-store.ts';
import type { TokenRecord } from '../../src/tokens/token-store.ts';
import { auditEvent as event, epoch, tokenRecord, userRecord } from '../support/store-records.ts';
import type { StoreSubject } from './store-subject.ts';

const minuteMs = 60_000;

/** What every pair of TokenStore and UserStore keeps to; run against each implementation. */
export function tokenStoreContract(name: string, open: () => Promise<StoreSubject>): void {
  describe(`TokenStore: ${name}`, () => {
    let subject: StoreSubject;
    let owner: UserRecord;
    before(async () => {
      subject = await open();
      owner = userRecord('Owner');
      assert.equal(await subject.users.insert(owner, event('user.add')), true);
    });
    after(() => subject.stop());

    async function inserted(fields: Partial<TokenRecord> = {}): Promise<TokenRecord> {
      const token = tokenRecord(owner.id, fields);
      await subject.tokens.insert(token, event('token.create', { tokenId: token.id }));
      return token;
    }

    async function stored(id: TokenId): Promise<TokenRecord> {
      const owned = await subject.tokens.get(id);
      assert.ok(owned);
      return owned.token;
    }

    async function useAt(token: TokenRecord, at: number, now = at): Promise<TokenRecord> {
      await subject.tokens.recordUses([{ tokenId: token.id, at, address: '192.0.2.7', client: 'curl' }], now);
      return stored(token.id);
    }

    test('a token comes back as it was put in, with its owner', async () => {
      const token = await inserted({
        expiresAt: epoch + 1,
        notBefore: 0,
        createdFrom: '::1',
        enabled: false,
      });
      const owned = await subject.tokens.get(token.id);
      assert.deepEqual(owned, {
        token,
        owner: { id: owner.id, name: 'Owner', disabled: false, version: 1 },
      });
    });

    test('a token is found by any of several digests, and by none that is not its own', async () => {
      const token = await inserted();
      const [digest, other] = [token.digest, 'other' as TokenDigest];
      assert.equal((await subject.tokens.findByDigests([other, digest]))?.token.id, token.id);
      assert.equal(await subject.tokens.findByDigests([other]), null);
      assert.equal(await subject.tokens.findByDigests([]), null);
    });

    test('an unknown id is null', async () => {
      assert.equal(await subject.tokens.get(randomUUID() as string as TokenId), null);
    });

    test('a change applies the patch with a higher version and keeps the audit event', async () => {
      const token = await inserted();
      const patch = { name: 'laptop', scopes: ['*'], enabled: false };
      const [outcome] = await subject.tokens.change([token.id], () => ({
        patch,
        event: event('token.edit', { tokenId: token.id }),
      }));
      assert.deepEqual(outcome, { before: token, after: { ...token, ...patch, version: 2 } });
      assert.deepEqual(await stored(token.id), outcome?.after);
      const trail = await subject.tokens.audit({ tokenId: token.id, limit: 10 });
      assert.deepEqual(
        trail.map(({ action }) => action),
        ['token.edit', 'token.create'],
      );
      assert.deepEqual(trail[0], event('token.edit', { tokenId: token.id }));
    });

    test('an edit that declines changes nothing, not even the version', async () => {
      const token = await inserted();
      const outcomes = await subject.tokens.change([token.id], () => null);
      assert.deepEqual(outcomes, [{ before: token, after: token }]);
      assert.deepEqual(await stored(token.id), token);
    });

    test('a change of several tokens leaves out those that do not exist', async () => {
      const [first, second] = [await inserted(), await inserted()];
      const ids = [first.id, randomUUID() as string as TokenId, second.id];
      const outcomes = await subject.tokens.change(ids, () => ({ patch: { name: 'x' }, event: event('e') }));
      assert.deepEqual(
        outcomes.map(({ after: { id } }) => id),
        [first.id, second.id],
      );
    });

    test('a change that fails for one token leaves all as they were', async () => {
      const [first, second] = [await inserted(), await inserted()];
      const edit = (token: TokenRecord) => {
        if (token.id === second.id) throw new RangeError('a bug');
        return { patch: { name: 'x' }, event: event('e') };
      };
      await assert.rejects(subject.tokens.change([first.id, second.id], edit), RangeError);
      assert.deepEqual(await stored(first.id), first);
    });

    test('a list is newest first, goes on after an id, and keeps to its limit', async () => {
      const user = userRecord('lister');
      await subject.users.insert(user, event('user.add'));
      const all = [tokenRecord(user.id), tokenRecord(user.id), tokenRecord(user.id)];
      for (const token of all) await subject.tokens.insert(token, event('e'));
      const ids = all.map(({ id }) => id).toReversed();
      const page = await subject.tokens.list({ userId: user.id, limit: 2 });
      assert.deepEqual(
        page.map(({ token }) => token.id),
        ids.slice(0, 2),
      );
      const rest = await subject.tokens.list({ userId: user.id, after: ids[1]! });
      assert.deepEqual(
        rest.map(({ token }) => token.id),
        ids.slice(2),
      );
    });

    test('a list holds revoked tokens only on demand', async () => {
      const user = userRecord('revoked-lister');
      await subject.users.insert(user, event('user.add'));
      const token = tokenRecord(user.id, { revokedAt: epoch });
      await subject.tokens.insert(token, event('e'));
      assert.equal((await subject.tokens.list({ userId: user.id })).length, 0);
      assert.equal((await subject.tokens.list({ userId: user.id, includeRevoked: true })).length, 1);
    });

    test('unused tokens are those neither used nor created since', async () => {
      const user = userRecord('unused-lister');
      await subject.users.insert(user, event('user.add'));
      const since = epoch + 10 * minuteMs;
      const old = tokenRecord(user.id);
      const used = tokenRecord(user.id, { lastUsedAt: since });
      const young = tokenRecord(user.id, { createdAt: since });
      const usedLongAgo = tokenRecord(user.id, { lastUsedAt: since - 1 });
      for (const token of [old, used, young, usedLongAgo]) await subject.tokens.insert(token, event('e'));
      const found = await subject.tokens.list({ userId: user.id, unusedSince: since });
      assert.deepEqual(
        found.map(({ token }) => token.id),
        [usedLongAgo.id, old.id],
      );
    });

    test('tokens that delete-if-unused has ended are listed from that moment on', async () => {
      const user = userRecord('ended-lister');
      await subject.users.insert(user, event('user.add'));
      const token = tokenRecord(user.id, { deleteUnusedMs: minuteMs });
      await subject.tokens.insert(token, event('e'));
      await subject.tokens.insert(tokenRecord(user.id), event('e'));
      const endedAt = async (now: number) =>
        (await subject.tokens.list({ userId: user.id, endedUnusedAt: now })).map((owned) => owned.token.id);
      assert.deepEqual(await endedAt(epoch + minuteMs - 1), []);
      assert.deepEqual(await endedAt(epoch + minuteMs), [token.id]);
    });

    test('a use is recorded without a new version', async () => {
      const token = await inserted();
      const used = await useAt(token, epoch + 5);
      const uses = { lastUsedAt: epoch + 5, lastUsedAddress: '192.0.2.7', lastUsedClient: 'curl' };
      assert.deepEqual(used, { ...token, ...uses });
    });

    test('an older use arriving late moves nothing back', async () => {
      const token = await inserted({ slidingMs: 10 * minuteMs, expiresAt: epoch + 10 * minuteMs });
      const recent = await useAt(token, epoch + 5 * minuteMs);
      assert.deepEqual(await useAt(token, epoch + minuteMs, epoch + 6 * minuteMs), recent);
    });

    test('a use moves the end of a sliding token, but never past its absolute end', async () => {
      const sliding = {
        slidingMs: 10 * minuteMs,
        expiresAt: epoch + 10 * minuteMs,
        until: epoch + 12 * minuteMs,
      };
      const token = await inserted(sliding);
      assert.equal((await useAt(token, epoch + minuteMs)).expiresAt, epoch + 11 * minuteMs);
      assert.equal((await useAt(token, epoch + 5 * minuteMs)).expiresAt, epoch + 12 * minuteMs);
    });

    test('a use leaves a fixed end where it is', async () => {
      const token = await inserted({ expiresAt: epoch + minuteMs });
      assert.equal((await useAt(token, epoch + 5)).expiresAt, epoch + minuteMs);
    });

    test('a use never revives a token that is expired, unused for too long, or revoked', async () => {
      const dead = [
        await inserted({ slidingMs: minuteMs, expiresAt: epoch + minuteMs }),
        await inserted({ deleteUnusedMs: minuteMs }),
        await inserted({ revokedAt: epoch }),
      ];
      for (const token of dead) {
        assert.deepEqual(await useAt(token, epoch + minuteMs - 1, epoch + minuteMs), token);
      }
    });

    test('a use from the future counts as one of now', async () => {
      const token = await inserted({ slidingMs: minuteMs, expiresAt: epoch + minuteMs });
      assert.equal((await useAt(token, epoch + 9 * minuteMs, epoch)).expiresAt, epoch + minuteMs);
    });

    test('a digest is replaced only while it is the one expected, without a new version', async () => {
      const token = await inserted();
      const [to, p2] = ['new' as TokenDigest, 'p2' as PepperId];
      await subject.tokens.redigest(token.id, 'another' as TokenDigest, to, p2);
      assert.deepEqual(await stored(token.id), token);
      await subject.tokens.redigest(token.id, token.digest, to, p2);
      assert.deepEqual(await stored(token.id), { ...token, digest: to, pepperId: p2 });
      assert.equal(await subject.tokens.findByDigests([token.digest]), null);
    });

    test('peppers count as in use while an unrevoked token needs them', async () => {
      const token = await inserted({ pepperId: 'rare' as PepperId });
      assert.ok((await subject.tokens.pepperIdsInUse()).includes('rare' as PepperId));
      await subject.tokens.change([token.id], () => ({ patch: { revokedAt: epoch }, event: event('e') }));
      assert.ok(!(await subject.tokens.pepperIdsInUse()).includes('rare' as PepperId));
    });

    test('tokens are counted by state', async () => {
      const before = await subject.tokens.countByState(epoch);
      await inserted();
      await inserted({ enabled: false });
      await inserted({ expiresAt: epoch });
      await inserted({ revokedAt: epoch, expiresAt: epoch });
      await inserted({ enabled: false, createdAt: epoch - 5, deleteUnusedMs: 5 });
      await inserted({ createdAt: epoch - 5, deleteUnusedMs: 6 });
      const shutOut = userRecord('counted-out');
      await subject.users.insert({ ...shutOut, disabled: true }, event('user.add'));
      for (const changes of [{}, { enabled: false }, { expiresAt: epoch }, { revokedAt: epoch }])
        await subject.tokens.insert({ ...tokenRecord(shutOut.id), ...changes }, event('e'));
      const { active, disabled, expired, revoked } = await subject.tokens.countByState(epoch);
      assert.deepEqual(
        { active, disabled, expired, revoked },
        {
          active: before.active + 2,
          disabled: before.disabled + 3,
          expired: before.expired + 3,
          revoked: before.revoked + 2,
        },
      );
    });

    test('a disabled owner shows on the token', async () => {
      const user = userRecord('to-disable');
      await subject.users.insert(user, event('user.add'));
      const token = tokenRecord(user.id);
      await subject.tokens.insert(token, event('e'));
      const changed = await subject.users.change(user.id, { disabled: true }, event('user.disable'));
      assert.deepEqual(changed, { ...user, disabled: true, version: 2 });
      const owned = await subject.tokens.get(token.id);
      assert.deepEqual(owned?.owner, { id: user.id, name: 'to-disable', disabled: true, version: 2 });
    });

    test('removing a user revokes its tokens, frees its name and keeps the trail', async () => {
      const user = userRecord('to-remove');
      await subject.users.insert(user, event('user.add'));
      const token = tokenRecord(user.id);
      await subject.tokens.insert(token, event('e'));
      const removed = await subject.users.remove(user.id, event('user.remove', { userId: user.id }));
      assert.equal(removed?.version, 2);
      const owned = await subject.tokens.get(token.id);
      assert.equal(owned?.token.revokedAt, epoch);
      assert.deepEqual(owned?.owner, { id: user.id, name: 'to-remove', disabled: true, version: 2 });
      assert.equal(await subject.users.get(user.id), null);
      assert.equal(await subject.users.remove(user.id, event('e')), null);
      assert.equal(await subject.users.insert(userRecord('To-Remove'), event('e')), true);
      assert.equal((await subject.tokens.audit({ userId: user.id, limit: 1 }))[0]?.action, 'user.remove');
    });

    test('audit events are forgotten oldest first, so many at a time, up to a moment', async () => {
      const startOf = (year: number): number => Date.UTC(year, 0, 1);
      const { id: userId } = owner;
      for (const year of [2002, 2001, 2003]) {
        const user = userRecord(`added-in-${year}`);
        await subject.users.insert(user, { ...event(user.name, { userId }), at: startOf(year) });
      }
      const kept = async (): Promise<readonly string[]> =>
        (await subject.tokens.audit({ userId, limit: 9 })).map(({ action }) => action);
      assert.equal(await subject.tokens.pruneAudit(startOf(2001), 9), 0);
      assert.equal(await subject.tokens.pruneAudit(startOf(2003), 1), 1);
      assert.deepEqual(await kept(), ['added-in-2003', 'added-in-2002']);
      assert.equal(await subject.tokens.pruneAudit(startOf(2003), 9), 1);
      assert.deepEqual(await kept(), ['added-in-2003']);
    });

    test('two users never share a folded name', async () => {
      assert.equal(await subject.users.insert(userRecord('twin'), event('e')), true);
      const second = { ...userRecord('Twin') };
      assert.equal(await subject.users.insert(second, event('e')), false);
      assert.equal(await subject.users.get(second.id), null);
    });

    test('users are listed by name, page by page', async () => {
      const first = await subject.users.list({ limit: 2 });
      const rest = await subject.users.list({ limit: 1_000, after: first.at(-1)!.id });
      const keys = [...first, ...rest].map(({ nameKey }) => nameKey);
      assert.deepEqual(keys, keys.toSorted());
      assert.equal(first.length, 2);
      assert.ok(keys.includes('owner'));
      assert.equal(new Set(keys).size, keys.length);
    });
  });
}
