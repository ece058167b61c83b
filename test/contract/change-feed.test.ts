import assert from 'node:assert/strict';
import { changeFeedContract, someChange } from './change-feed-contract.ts';
import { openRedis, testRealm } from '../support/redis-parts.ts';
import type { RedisParts } from '../support/redis-parts.ts';
import { startRedis } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';

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
