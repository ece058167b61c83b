import { fakeSharedCache } from './shared-cache-fake.ts';
import { sharedCacheContract } from './shared-cache-contract.ts';
import { openRedis } from '../support/redis-parts.ts';
import { startRedis } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';

sharedCacheContract('in memory', { skip: false }, () => {
  const cache = fakeSharedCache(() => performance.now());
  return Promise.resolve({ ours: cache, theirs: cache, stop: () => Promise.resolve() });
});

sharedCacheContract('Redis', requireProgram('redis-server', 'redis-cli'), async () => {
  const server = await startRedis();
  const [ours, theirs] = await Promise.all([openRedis(server.config()), openRedis(server.config())]);
  return {
    ours: ours.cache,
    theirs: theirs.cache,
    async stop() {
      await Promise.all([ours.stop(), theirs.stop()]);
      await server.stop();
    },
  };
});
