import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { AdminKeyId, SecretDigest } from '../../src/core/ids.ts';
import { systemRandom } from '../../src/core/random.ts';
import { uuidV7 } from '../../src/core/uuid.ts';
import type { AdminKeyRecord } from '../../src/identity/admin-key-store.ts';
import type { LinkRecord } from '../../src/identity/one-time-links.ts';
import { cutShortMs, repeatedKeptMs } from '../../src/management/repeated-requests.ts';
import { openPolicy } from '../../src/tokens/policy.ts';
import { auditEvent as event, epoch, userRecord } from '../support/store-records.ts';
import type { StoreSubject } from './store-subject.ts';

/** What every LinkStore, AdminKeyStore, PolicyStore and RepeatedRequests keep to; run against each implementation. */
export function smallStoresContract(name: string, open: () => Promise<StoreSubject>): void {
  let subject: StoreSubject;
  const opened = (): void => {
    before(async () => {
      subject = await open();
    });
    after(() => subject.stop());
  };
  describe(`LinkStore: ${name}`, () => {
    opened();
    linkTests(() => subject);
  });
  describe(`AdminKeyStore: ${name}`, () => {
    opened();
    adminKeyTests(() => subject);
  });
  describe(`PolicyStore: ${name}`, () => {
    opened();
    policyTests(() => subject);
  });
  describe(`RepeatedRequests: ${name}`, () => {
    opened();
    repeatedTests(() => subject);
  });
}

async function lastAction(subject: StoreSubject): Promise<string | undefined> {
  return (await subject.tokens.audit({ limit: 1 }))[0]?.action;
}

function linkTests(of: () => StoreSubject): void {
  async function inserted(fields: Partial<LinkRecord> = {}): Promise<LinkRecord> {
    const digest = randomUUID() as string as SecretDigest;
    const link = { digest, purpose: 'first-admin', userId: null, expiresAt: epoch + 10, ...fields } as const;
    await of().links.insert(link, event('link.made'));
    return link;
  }

  test('a link can be read until it is used, and used once', async () => {
    const user = userRecord('of-link');
    await of().users.insert(user, event('e'));
    const link = await inserted({ purpose: 'set-password', userId: user.id });
    assert.equal(await lastAction(of()), 'link.made');
    assert.deepEqual(await of().links.find(link.digest, epoch), link);
    assert.deepEqual(await of().links.find(link.digest, epoch), link);
    assert.deepEqual(await of().links.use(link.digest, epoch), link);
    assert.equal(await of().links.use(link.digest, epoch), null);
    assert.equal(await of().links.find(link.digest, epoch), null);
  });

  test('of many who use a link at once, in two processes, one gets it', async () => {
    const { digest } = await inserted();
    const users = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? of() : of().other).links);
    const got = await Promise.all(users.map((links) => links.use(digest, epoch)));
    assert.equal(got.filter((link) => link !== null).length, 1);
  });

  test('a user has one link at a time: a later one, and a new password, make it void', async () => {
    const user = userRecord('of-links');
    await of().users.insert(user, event('e'));
    const other = await inserted();
    const [first, second] = [
      await inserted({ purpose: 'set-password', userId: user.id }),
      await inserted({ purpose: 'set-password', userId: user.id }),
    ];
    assert.equal(await of().links.use(first.digest, epoch), null);
    assert.deepEqual(await of().links.find(second.digest, epoch), second);
    await of().users.change(user.id, { displayName: 'D' }, event('e'));
    assert.deepEqual(await of().links.find(second.digest, epoch), second);
    await of().users.change(user.id, { passwordHash: 'a hash' }, event('e'));
    assert.equal(await of().links.use(second.digest, epoch), null);
    assert.deepEqual(await of().links.find(other.digest, epoch), other);
  });

  test('a link ends at its moment, and is forgotten by the next one', async () => {
    const { digest } = await inserted({ expiresAt: epoch });
    assert.equal(await of().links.find(digest, epoch), null);
    assert.equal(await of().links.use(digest, epoch), null);
    assert.notEqual(await of().links.find(digest, epoch - 1), null);
    await inserted();
    assert.equal(await of().links.find(digest, epoch - 1), null);
  });

  test('an unknown link is none', async () => {
    assert.equal(await of().links.use('unknown' as SecretDigest, epoch), null);
  });
}

function adminKeyTests(of: () => StoreSubject): void {
  let made = 0;
  async function inserted(fields: Partial<AdminKeyRecord> = {}): Promise<AdminKeyRecord> {
    const key: AdminKeyRecord = {
      id: uuidV7(epoch + made++, systemRandom) as AdminKeyId,
      name: 'backup',
      digest: randomUUID() as string as SecretDigest,
      prefix: 'lka_abcd',
      scopes: ['tokens', 'audit'],
      createdAt: epoch,
      createdBy: 'cli:root',
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
      ...fields,
    };
    await of().adminKeys.insert(key, event('key.create'));
    return key;
  }

  test('a key is found by its digest, whole, and listed newest first', async () => {
    const first = await inserted({ expiresAt: epoch + 5 });
    const second = await inserted({ scopes: [] });
    assert.equal(await lastAction(of()), 'key.create');
    assert.deepEqual(await of().adminKeys.findByDigest(first.digest), first);
    assert.equal(await of().adminKeys.findByDigest('other' as SecretDigest), null);
    assert.deepEqual(await of().adminKeys.list(), [second, first]);
  });

  test('a key is revoked once; it stays in the list', async () => {
    const key = await inserted();
    const revoked = { ...key, revokedAt: epoch };
    assert.deepEqual(await of().adminKeys.revoke(key.id, event('key.revoke')), revoked);
    assert.equal(await lastAction(of()), 'key.revoke');
    const later = { ...event('key.revoke-again'), at: epoch + 9 };
    assert.deepEqual(await of().adminKeys.revoke(key.id, later), revoked);
    assert.equal(await lastAction(of()), 'key.revoke');
    assert.deepEqual((await of().adminKeys.list())[0], revoked);
    assert.equal(await of().adminKeys.revoke(randomUUID() as string as AdminKeyId, later), null);
  });

  test('the last use never moves back', async () => {
    const key = await inserted();
    for (const at of [epoch + 2, epoch + 1]) await of().adminKeys.recordUse(key.id, at);
    assert.equal((await of().adminKeys.findByDigest(key.digest))?.lastUsedAt, epoch + 2);
  });
}

function policyTests(of: () => StoreSubject): void {
  test('before any was made, nothing is limited; a change counts only upon the version that was read', async () => {
    const none = { policy: openPolicy, version: 0, changedAt: null, changedBy: null };
    assert.deepEqual(await of().policy.read(), none);
    const policy = { ...openPolicy, lifeMsMax: 5, scopes: ['path:/{user}/:r'], startsEnabled: false };
    const kept = { policy, version: 1, changedAt: epoch, changedBy: 'test' };
    assert.deepEqual(await of().policy.replace(policy, 0, event('policy.change')), kept);
    assert.equal(await lastAction(of()), 'policy.change');
    assert.equal(await of().policy.replace(openPolicy, 0, event('policy.stale')), null);
    assert.equal(await lastAction(of()), 'policy.change');
    assert.deepEqual(await of().other.policy.read(), kept);
    const both = [of().policy, of().other.policy].map((store) => store.replace(openPolicy, 1, event('e')));
    assert.equal((await Promise.all(both)).filter((won) => won !== null).length, 1);
    assert.equal((await of().policy.read()).version, 2);
  });
}

function repeatedTests(of: () => StoreSubject): void {
  const [mine, request] = ['user:1', 'request-1'];

  test('a request is first once, then running, then answered', async () => {
    const { repeated } = of();
    const begin = (digest = request, caller = mine) => repeated.begin(caller, 'key-1', digest, epoch);
    assert.deepEqual(await begin(), { kind: 'first' });
    assert.deepEqual(await begin(), { kind: 'running' });
    assert.deepEqual(await begin('request-2'), { kind: 'other' });
    await repeated.finish(mine, 'key-1', 'sealed answer');
    assert.deepEqual(await begin(), { kind: 'answered', answer: 'sealed answer' });
    assert.deepEqual(await begin('request-2'), { kind: 'other' });
    assert.deepEqual(await begin(request, 'user:2'), { kind: 'first' });
  });

  test('of many that begin the same at once, in two processes, one is first', async () => {
    const stores = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? of() : of().other).repeated);
    const kinds = await Promise.all(stores.map((store) => store.begin(mine, 'at-once', request, epoch)));
    assert.equal(kinds.filter(({ kind }) => kind === 'first').length, 1);
    assert.equal(kinds.filter(({ kind }) => kind === 'running').length, 9);
  });

  test('what was not done can be done again; what was answered cannot be forgotten', async () => {
    const { repeated } = of();
    const begin = () => repeated.begin(mine, 'key-2', request, epoch);
    await begin();
    await repeated.forget(mine, 'key-2');
    assert.deepEqual(await begin(), { kind: 'first' });
    await repeated.finish(mine, 'key-2', 'a');
    await repeated.forget(mine, 'key-2');
    assert.deepEqual(await begin(), { kind: 'answered', answer: 'a' });
  });

  test('an answer is kept for a day; a request that was cut short, for five minutes', async () => {
    const { repeated } = of();
    const begin = (key: string, at: number) => repeated.begin(mine, key, request, at);
    await begin('answered', epoch);
    await begin('cut short', epoch);
    await repeated.finish(mine, 'answered', 'a');
    assert.equal((await begin('cut short', epoch + cutShortMs - 1)).kind, 'running');
    assert.equal((await begin('cut short', epoch + cutShortMs)).kind, 'first');
    assert.equal((await begin('answered', epoch + repeatedKeptMs - 1)).kind, 'answered');
    assert.equal((await begin('answered', epoch + repeatedKeptMs)).kind, 'first');
    assert.equal((await begin('answered', epoch + repeatedKeptMs)).kind, 'running');
  });

  test('the oldest are forgotten first, so many at a time, up to a moment', async () => {
    const { repeated } = of();
    const early = epoch - 100;
    for (const [at, key] of ['b', 'a', 'c'].entries())
      await repeated.begin('pruned', key, request, early + at);
    assert.equal(await repeated.prune(early + 2, 1), 1);
    assert.equal((await repeated.begin('pruned', 'a', request, early + 2)).kind, 'running');
    assert.equal(await repeated.prune(early + 2, 9), 1);
    assert.equal(await repeated.prune(early + 2, 9), 0);
    assert.equal((await repeated.begin('pruned', 'c', request, early + 2)).kind, 'running');
  });
}
