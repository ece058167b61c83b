import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createFailureBoard } from '../../src/server/workers/failure-board.ts';
import type { SharedFailures } from '../../src/tokens/shared-failures.ts';
import { eventually } from '../support/eventually.ts';
import { openRedis, type RedisParts } from '../support/redis-parts.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';
import { steppedClock } from '../support/stepped-clock.ts';
import { sharedFailuresContract } from './shared-failures-contract.ts';
import { fakeSharedFailures } from './shared-failures-fake.ts';

const windowMs = 60_000;
const needsRedis = requireProgram('redis-server', 'redis-cli');

sharedFailuresContract('in memory', { skip: false }, () => {
  const clock = steppedClock();
  const failures = fakeSharedFailures(() => clock.monotonic(), windowMs);
  return Promise.resolve({
    ours: failures,
    theirs: failures,
    windowMs,
    letWindowPass: () => Promise.resolve(clock.advance(windowMs)),
    stop: () => Promise.resolve(),
  });
});

sharedFailuresContract('the supervisor of workers', { skip: false }, () => {
  const clock = steppedClock();
  const board = createFailureBoard(clock);
  const failures: SharedFailures = { add: async (name, guess) => board.add(name, guess, windowMs) };
  return Promise.resolve({
    ours: failures,
    theirs: failures,
    windowMs,
    letWindowPass: () => Promise.resolve(clock.advance(windowMs)),
    stop: () => Promise.resolve(),
  });
});

/** Redis' own clock cannot be moved: every key is told to expire at once instead, where it has an end at all. */
async function expireAll(server: RedisServer): Promise<void> {
  for (const key of (await server.cli('keys', 'latchkey:failures:*')).split('\n').filter(Boolean)) {
    assert.ok(Number(await server.cli('pttl', key)) > 0, `${key} has an end`);
    await server.cli('pexpire', key, '0');
  }
}

sharedFailuresContract('Redis', needsRedis, async () => {
  const server = await startRedis();
  const [ours, theirs] = await Promise.all([openRedis(server.config()), openRedis(server.config())]);
  return {
    ours: ours.failures(windowMs),
    theirs: theirs.failures(windowMs),
    windowMs,
    letWindowPass: () => expireAll(server),
    async stop() {
      await Promise.all([ours.stop(), theirs.stop()]);
      await server.stop();
    },
  };
});

describe('failures counted in Redis', needsRedis, () => {
  let server: RedisServer;
  let parts: RedisParts;
  before(async () => {
    server = await startRedis();
    parts = await openRedis(server.config());
  });
  after(async () => {
    await parts?.stop();
    await server?.stop();
  });

  test('are unknown while Redis is gone, without an exception, and are counted again when it is back', async () => {
    const failures = parts.failures(windowMs);
    assert.equal((await failures.add('name', 'a'))?.count, 1);
    await server.kill();
    assert.equal(await failures.add('name', 'b'), null);
    assert.equal(await failures.add('name', 'c'), null);
    await server.restart();
    await eventually('Redis to be trusted again', () => Promise.resolve(parts.gate.open));
    assert.equal((await failures.add('name', 'd'))?.count, 1);
  });
});
