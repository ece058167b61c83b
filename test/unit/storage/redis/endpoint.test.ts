import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backoffMs } from '../../../../src/storage/redis/connection.ts';
import { parseHostPort, parseRedisUrl } from '../../../../src/storage/redis/endpoint.ts';
import { redisConfig } from '../../../support/redis-server.ts';

describe('where Redis is', () => {
  const plain = redisConfig([]);

  test('a URL names host, port and whether TLS is spoken', () => {
    assert.deepEqual(parseRedisUrl('redis://cache.example:7000', plain), {
      host: 'cache.example',
      port: 7000,
    });
    assert.deepEqual(parseRedisUrl('redis://[::1]', plain), { host: '::1', port: 6379 });
    assert.deepEqual(parseRedisUrl('rediss://cache.example', plain), {
      host: 'cache.example',
      port: 6379,
      tls: {},
    });
    assert.deepEqual(parseRedisUrl('rediss://c', redisConfig([], { tls: { ca: 'PEM' } })).tls, { ca: 'PEM' });
    assert.deepEqual(parseRedisUrl('unix:/run/redis/redis.sock', plain), { path: '/run/redis/redis.sock' });
  });

  test('anything else is refused without being repeated', () => {
    for (const text of ['', 'http://:secret@host', 'redis', 'secret:6379']) {
      assert.throws(
        () => parseRedisUrl(text, plain),
        (error: Error) => error instanceof TypeError && !error.message.includes('secret'),
      );
    }
  });

  test('a node is host and port', () => {
    assert.deepEqual(parseHostPort('10.0.0.5:26379'), { host: '10.0.0.5', port: 26379 });
    assert.deepEqual(parseHostPort('[fe80::1]:1'), { host: 'fe80::1', port: 1 });
    for (const text of ['host', 'host:0', 'host:65536', ':1', 'a b:1', 'redis://host:1', '::1:1']) {
      assert.throws(() => parseHostPort(text), TypeError, text);
    }
  });
});

describe('the wait before another attempt', () => {
  test('doubles to two seconds, the upper half of it random', () => {
    const longest = [1, 2, 3, 6, 7, 1_000].map((attempt) => backoffMs(attempt, () => 1));
    assert.deepEqual(longest, [50, 100, 200, 1_600, 2_000, 2_000]);
    const shortest = [1, 2, 3, 6, 7, 1_000].map((attempt) => backoffMs(attempt, () => 0));
    assert.deepEqual(shortest, [25, 50, 100, 800, 1_000, 1_000]);
  });
});
