import assert from 'node:assert/strict';
import { systemClock } from '../../src/core/clock.ts';
import { JournalFeed } from '../../src/storage/sqlite/journal-feed.ts';
import { changeFeedContract, someChange } from './change-feed-contract.ts';
import { openRedis, testRealm } from '../support/redis-parts.ts';
import type { RedisParts } from '../support/redis-parts.ts';
import { startRedis } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';
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
