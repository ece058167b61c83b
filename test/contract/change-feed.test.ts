import assert from 'node:assert/strict';
import { openPostgresStore } from '../../src/compose/postgres-store.ts';
import { systemClock } from '../../src/core/clock.ts';
import { JournalFeed } from '../../src/storage/sqlite/journal-feed.ts';
import { changeFeedContract, someChange } from './change-feed-contract.ts';
import { requirePostgres, startPostgres } from '../support/postgres.ts';
import { openRedis, testRealm } from '../support/redis-parts.ts';
import type { RedisParts } from '../support/redis-parts.ts';
import { startRedis } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';
import { auditEvent, tokenRecord, userRecord } from '../support/store-records.ts';
import { openTokenOffice } from '../support/token-office.ts';

changeFeedContract('the journal of SQLite', { skip: false }, async () => {
  const scratch = await makeScratch('journal');
  const path = scratch.file('store.db');
  const office = await openTokenOffice(path, null);
  return {
    openFeed: () => Promise.resolve(new JournalFeed({ path, clock: systemClock })),
    async makeChange() {
      const { id } = await office.mint('alice');
      await office.disable(id);
      return { kind: 'token', tokenId: id, version: 2 };
    },
    async stop() {
      await office.close();
      await scratch.remove();
    },
  };
});

changeFeedContract('the journal of PostgreSQL', requirePostgres(), async () => {
  const server = await startPostgres();
  const store = await openPostgresStore(server.config(await server.createDatabase()), systemClock);
  const user = userRecord('alice');
  await store.users.insert(user, auditEvent('user.add'));
  return {
    openFeed: () => Promise.resolve(store.journal()),
    async makeChange() {
      const token = tokenRecord(user.id);
      await store.tokens.insert(token, auditEvent('token.create'));
      const event = { ...auditEvent('token.disable'), at: systemClock.now() };
      await store.tokens.change([token.id], () => ({ patch: { enabled: false }, event }));
      return { kind: 'token', tokenId: token.id, version: 2 };
    },
    async stop() {
      await store.close();
      await server.stop();
    },
  };
});

changeFeedContract('Redis', requireProgram('redis-server', 'redis-cli'), async () => {
  const server = await startRedis();
  const realm = testRealm();
  const announcing = await openRedis(server.config(), realm);
  const opened: RedisParts[] = [announcing];
  return {
    async openFeed() {
      const parts = await openRedis(server.config(), realm);
      opened.push(parts);
      return parts.feed;
    },
    async makeChange() {
      const change = someChange();
      assert.equal(await announcing.announcer.announce([change]), true);
      return change;
    },
    async stop() {
      await Promise.all(opened.map((parts) => parts.stop()));
      await server.stop();
    },
  };
});
