import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RedisConfig } from '../../src/config/config.ts';
import { endAll } from '../support/end-all.ts';
import { startRedisCluster, startRedisSentinel } from '../support/redis-cluster.ts';
import { commandsSince, monitorRedis, type RedisMonitor } from '../support/redis-monitor.ts';
import { redisConfig, type RedisServer, startRedis } from '../support/redis-server.ts';
import { assertRedisWorks } from '../support/redis-use.ts';
import { requireProgram } from '../support/requirement.ts';

/** Valkey began as Redis 7.2.4, and answers every command of it. What Redis has learned since, it may not know. */
const sharedVersion = [7, 2, 4];

/** All that cache, throttle and channel need. */
const needed = [
  'del',
  'eval',
  'evalsha',
  'expire',
  'get',
  'incrby',
  'ping',
  'pttl',
  'publish',
  'set',
  'subscribe',
];
/** What the client asks besides, once for each connection. */
const asked = ['client setname', 'cluster info', 'cluster slots', 'info', 'select'];

/** What was sent to these servers while two gateways used them. */
async function sentWhile(servers: readonly RedisServer[], config: RedisConfig): Promise<ReadonlySet<string>> {
  const monitors: RedisMonitor[] = [];
  try {
    for (const server of servers) monitors.push(await monitorRedis(server));
    await assertRedisWorks(config);
    return new Set(monitors.flatMap((monitor) => [...monitor.sent()]));
  } finally {
    await Promise.all(monitors.map((monitor) => monitor.stop()));
  }
}

async function assertShared(server: RedisServer, sent: ReadonlySet<string>): Promise<void> {
  for (const command of ['get', 'set', 'del', 'incrby', 'publish', 'subscribe'])
    assert.ok(sent.has(command), `${command} was recorded`);
  assert.deepEqual(
    [...sent].filter((command) => !needed.includes(command) && !asked.includes(command)),
    [],
    'commands that no list names',
  );
  for (const [command, since] of await commandsSince(server, sent))
    assert.ok(isShared(since), `${command}: since ${since}`);
}

function isShared(version: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [at, most] of sharedVersion.entries()) {
    const part = parts[at] ?? Number.NaN;
    if (part !== most) return part < most;
  }
  return true;
}

describe(
  'what is sent to Redis is known to Valkey as well',
  requireProgram('redis-server', 'redis-cli'),
  () => {
    test('a standalone server', async () => {
      const server = await startRedis();
      try {
        await assertShared(server, await sentWhile([server], server.config({ database: 2 })));
      } finally {
        await server.stop();
      }
    });

    test('a master that a Sentinel names', async () => {
      const watched = await startRedisSentinel();
      try {
        const nodes = [`127.0.0.1:${watched.sentinel.port}`];
        const config = redisConfig(nodes, { mode: 'sentinel', sentinelName: watched.name });
        await assertShared(watched.master, await sentWhile([watched.master], config));
      } finally {
        await watched.stop();
      }
    });

    test('every master of a Cluster', async () => {
      const cluster = await startRedisCluster();
      try {
        const nodes = cluster.nodes.map((node) => `127.0.0.1:${node.port}`);
        const sent = await sentWhile(cluster.nodes, redisConfig(nodes, { mode: 'cluster' }));
        await assertShared(cluster.nodes[0], sent);
      } finally {
        await endAll(() => cluster.stop());
      }
    });

    test('a version newer than both would be noticed', () => {
      assert.deepEqual(['7.2.4', '7.0.0', '2.6.12', '7.2.5', '7.4.0', '8.0.0', 'never'].map(isShared), [
        ...[true, true, true],
        ...[false, false, false, false],
      ]);
    });
  },
);
