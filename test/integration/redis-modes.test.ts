import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { RedisConfig } from '../../src/config/config.ts';
import { someChange } from '../contract/change-feed-contract.ts';
import { eventually } from '../support/eventually.ts';
import { startRedisCluster, startRedisSentinel } from '../support/redis-cluster.ts';
import type { RedisCluster, RedisSentinel } from '../support/redis-cluster.ts';
import { openRedis, recordingListener, testRealm } from '../support/redis-parts.ts';
import { redisConfig, startRedis } from '../support/redis-server.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';

const needed = requireProgram('redis-server', 'redis-cli', 'openssl');

/** Cache, counts and channel work: two gateways share values, failures and a change. */
async function assertWorks(config: RedisConfig): Promise<void> {
  const realm = testRealm();
  const [ours, theirs] = [await openRedis(config, realm), await openRedis(config, realm)];
  try {
    const keys = Array.from({ length: 12 }, () => randomUUID());
    for (const key of keys) await ours.cache.set(key, `value of ${key}`, 60_000);
    for (const key of keys) assert.equal(await theirs.cache.get(key), `value of ${key}`);
    for (const name of keys) {
      assert.equal((await ours.failures(60_000).add(name, 'a guess'))?.count, 1);
      assert.equal((await theirs.failures(60_000).add(name, 'another'))?.count, 2);
    }
    const listener = recordingListener();
    await theirs.feed.start(listener);
    assert.ok(listener.calls.includes('heard'), JSON.stringify(theirs.reports));
    const change = someChange();
    assert.equal(await ours.announcer.announce([change]), true);
    await eventually('the change', () => listener.changes.length === 1);
    assert.deepEqual(listener.changes, [change]);
    assert.equal(await ours.cache.delete(keys), true);
    for (const key of keys) assert.equal(await theirs.cache.get(key), null);
  } finally {
    await Promise.all([ours.stop(), theirs.stop()]);
  }
}

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
    const rights = ['~latchkey:*', '&latchkey:*', '+get', '+set', '+del', '+ping', '+publish', '+subscribe'];
    const counting = ['+eval', '+evalsha', '+incrby', '+pttl', '+expire'];
    await server.cli('acl', 'setuser', 'gateway', 'on', '>its-own', ...rights, ...counting);
  });
  after(() => server.stop());

  test('known to the gateway', () => assertWorks(server.config({ password })));

  test('with a user name that has no rights but those needed on our keys and channels', () =>
    assertWorks(server.config({ username: 'gateway', password: 'its-own' })));

  test('in a database of its own', () => assertWorks(server.config({ password, database: 3 })));

  test('through a unix socket', () =>
    assertWorks(server.config({ nodes: [`unix:${server.socketPath}`], password })));

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
    assertWorks(server.config({ tls: { ca: server.ca }, password: 'over-tls' })));

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

  test('cache and channel follow the master to its successor', async () => {
    await assertWorks(config());
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
      await eventually('the cache to work there', async () => {
        await parts.cache.set('key', 'value', 60_000);
        return (await parts.cache.get('key')) === 'value';
      });
      assert.match(await watched.replica.cli('role'), /^master/);
    } finally {
      await parts.stop();
    }
    await assertWorks(config());
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

  test('known to the gateway', () => assertWorks(config({ sentinelPassword: ofSentinel })));

  test('with a user name that may only ask who is the master', () =>
    assertWorks(config({ sentinelUsername: 'watcher', sentinelPassword: 'its-own' })));

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

  test('keys live on every master, and any node carries the channel', () => assertWorks(config()));

  test('one node named in the configuration is enough', () =>
    assertWorks({ ...config(), nodes: [`127.0.0.1:${cluster.nodes[1].port}`] }));

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
