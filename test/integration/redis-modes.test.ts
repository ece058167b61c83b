import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { probeRedis } from '../../src/compose/storage-probes.ts';
import type { RedisConfig } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { eventually } from '../support/eventually.ts';
import { startRedisCluster, startRedisSentinel } from '../support/redis-cluster.ts';
import type { RedisCluster, RedisSentinel } from '../support/redis-cluster.ts';
import { openRedis, recordingListener } from '../support/redis-parts.ts';
import { assertRedisShared, assertRedisWorks } from '../support/redis-use.ts';
import { redisConfig, startRedis } from '../support/redis-server.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';

const needed = requireProgram('redis-server', 'redis-cli', 'openssl');

/** Opening resolves, nothing works, and what is reported says why without the secret. */
async function assertRefused(config: RedisConfig, why: RegExp, secret: string): Promise<void> {
  const parts = await openRedis(config);
  try {
    await eventually('the reason', () => parts.reports.some((report) => why.test(report.reason ?? '')));
    assert.equal(parts.gate.open, false);
    assert.equal(await parts.cache.get('key'), null);
    assert.ok(!JSON.stringify(parts.reports).includes(secret));
  } finally {
    await parts.stop();
  }
}

describe('Redis with a password', needed, () => {
  const password = 'pass word/with:signs@100%';
  let server: RedisServer;
  before(async () => {
    server = await startRedis({ password, unixSocket: true });
    const page = await readFile(new URL('../../docs/scale-out.md', import.meta.url), 'utf8');
    const [, rights = ''] = /^ACL SETUSER latchkey on >… (.+)$/m.exec(page) ?? [];
    await server.cli('acl', 'setuser', 'gateway', 'on', '>its-own', ...rights.split(' '));
  });
  after(() => server.stop());

  test('known to the gateway', () => assertRedisWorks(server.config({ password })));

  test('with a user name that has no rights but those that docs/scale-out.md names', () =>
    assertRedisWorks(server.config({ username: 'gateway', password: 'its-own' })));

  test('with a user who may not subscribe, which is told once', async () => {
    await server.cli('acl', 'setuser', 'deaf', 'on', '>its-own', '~*', '&*', '+@all', '-subscribe');
    const parts = await openRedis(server.config({ username: 'deaf', password: 'its-own' }));
    try {
      const listener = recordingListener();
      await parts.feed.start(listener);
      await parts.feed.stop();
      await parts.feed.start(listener);
      assert.equal(parts.forbidden.length, 1);
      assert.match(parts.forbidden[0] ?? '', /^NOPERM .*subscribe.*; let redis\.username do that/);
      assert.deepEqual(listener.calls, []);
    } finally {
      await parts.stop();
    }
  });

  test('in a database of its own', () => assertRedisWorks(server.config({ password, database: 3 })));

  test('through a unix socket', () =>
    assertRedisWorks(server.config({ nodes: [`unix:${server.socketPath}`], password })));

  test('a wrong one is reported without being shown', () =>
    assertRefused(server.config({ password: 'not-the-one' }), /WRONGPASS/, 'not-the-one'));

  test('a missing one is reported', () => assertRefused(server.config(), /NOAUTH/, password));
});

describe('Redis with TLS', needed, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis({ tls: true, password: 'over-tls', settings: ['bind 127.0.0.1 127.0.0.2'] });
  });
  after(() => server.stop());

  test('an authority named in the configuration is trusted', () =>
    assertRedisWorks(server.config({ tls: { ca: server.ca }, password: 'over-tls' })));

  test('no other is', () =>
    assertRefused(server.config({ password: 'over-tls' }), /certificate/, 'over-tls'));

  test('a certificate for another host is refused', () =>
    assertRefused(
      server.config({
        nodes: [`rediss://127.0.0.2:${server.port}`],
        tls: { ca: server.ca },
        password: 'over-tls',
      }),
      /altnames/,
      'over-tls',
    ));
});

describe('Redis Sentinel', needed, () => {
  let watched: RedisSentinel;
  before(async () => {
    watched = await startRedisSentinel();
  });
  after(() => watched.stop());

  const config = (): RedisConfig =>
    redisConfig([`127.0.0.1:${watched.sentinel.port}`], { mode: 'sentinel', sentinelName: watched.name });

  test('a name that no Sentinel knows is reported with the key to correct, to the doctor too', async () => {
    const wrong = { ...config(), sentinelName: 'another', password: 'not-for-logs' };
    const why = /the Sentinels know no master named "another": correct redis\.sentinelName or redis\.nodes/;
    await assertRefused(wrong, why, 'not-for-logs');
    await assert.rejects(probeRedis(wrong, systemClock), why);
  });

  test('cache, counts and channel follow the master to its successor', async () => {
    await assertRedisWorks(config());
    const parts = await openRedis(config());
    const listener = recordingListener();
    try {
      await parts.feed.start(listener);
      const calls = listener.calls.length;
      await watched.master.kill();
      await eventually(
        'the successor to be used',
        () => parts.gate.open && listener.calls.includes('gap', calls),
        {
          withinMs: 15_000,
        },
      );
      await eventually('the channel to be heard there', () => listener.calls.includes('heard', calls));
      assert.match(await watched.replica.cli('role'), /^master/);
      const late = await openRedis(config(), parts.realm);
      try {
        await assertRedisShared(parts, late);
      } finally {
        await late.stop();
      }
    } finally {
      await parts.stop();
    }
  });
});

describe('Redis Sentinel with passwords of its own', needed, () => {
  const [ofMaster, ofSentinel] = ['for-the-master', 'for-the-sentinel'];
  let watched: RedisSentinel;
  before(async () => {
    watched = await startRedisSentinel({ master: ofMaster, sentinel: ofSentinel });
    const rights = [
      '+auth',
      '+ping',
      '+sentinel|get-master-addr-by-name',
      '+sentinel|sentinels',
      '+subscribe',
    ];
    await watched.sentinel.cli('acl', 'setuser', 'watcher', 'on', '>its-own', 'allchannels', ...rights);
  });
  after(() => watched.stop());

  const config = (changes: Partial<RedisConfig>): RedisConfig =>
    redisConfig([`127.0.0.1:${watched.sentinel.port}`], {
      mode: 'sentinel',
      sentinelName: watched.name,
      password: ofMaster,
      ...changes,
    });

  test('known to the gateway', () => assertRedisWorks(config({ sentinelPassword: ofSentinel })));

  test('with a user name that may only ask who is the master', () =>
    assertRedisWorks(config({ sentinelUsername: 'watcher', sentinelPassword: 'its-own' })));

  test("the master's password is not tried at the sentinels: a missing one is reported", () =>
    assertRefused(config({}), /NOAUTH/, ofMaster));

  test('a wrong one is reported without being shown', () =>
    assertRefused(config({ sentinelPassword: 'not-the-one' }), /WRONGPASS/, 'not-the-one'));

  test('a wrong one of the master is reported too', () =>
    assertRefused(config({ sentinelPassword: ofSentinel, password: 'not-it' }), /WRONGPASS/, 'not-it'));
});

describe('Redis Cluster', needed, () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startRedisCluster();
  });
  after(() => cluster.stop());

  const config = (): RedisConfig =>
    redisConfig(
      cluster.nodes.map((node) => `127.0.0.1:${node.port}`),
      { mode: 'cluster' },
    );

  test('keys live on every master, and any node carries the channel', () => assertRedisWorks(config()));

  test('one node named in the configuration is enough', () =>
    assertRedisWorks({ ...config(), nodes: [`127.0.0.1:${cluster.nodes[1].port}`] }));

  test('a paused master takes the cache out of use, and back when it answers', async () => {
    const parts = await openRedis(config());
    try {
      await eventually('the cache to be used', () => parts.gate.open);
      cluster.nodes[2].pause();
      await eventually('a command to fail', async () => {
        await parts.cache.get(randomUUID());
        return !parts.gate.open;
      });
      cluster.nodes[2].resume();
      await eventually('the cache to be used again', () => parts.gate.open, { withinMs: 15_000 });
    } finally {
      cluster.nodes[2].resume();
      await parts.stop();
    }
  });
});

describe('Redis Cluster with replicas', needed, () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startRedisCluster({ replicas: true });
  });
  after(() => cluster.stop());

  test('cache, counts and channel go on after a master has gone and its replica has taken its place', async () => {
    const nodes = cluster.nodes.map((node) => `127.0.0.1:${node.port}`);
    const config = redisConfig(nodes, { mode: 'cluster' });
    const ours = await openRedis(config);
    const theirs = await openRedis(config, ours.realm);
    try {
      await assertRedisShared(ours, theirs);
      await cluster.nodes[0].kill();
      await eventually(
        'a replica to take its place',
        async () => {
          const roles = await Promise.all(cluster.replicas.map((replica) => replica.cli('role')));
          return roles.some((role) => role.startsWith('master'));
        },
        { withinMs: 30_000 },
      );
      await assertRedisShared(ours, theirs, 30_000);
    } finally {
      await Promise.all([ours.stop(), theirs.stop()]);
    }
  });
});
