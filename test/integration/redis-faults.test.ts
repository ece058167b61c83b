import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { someChange } from '../contract/change-feed-contract.ts';
import { eventually } from '../support/eventually.ts';
import { openRedis, recordingListener, testKeys, testRealm } from '../support/redis-parts.ts';
import type { RedisParts } from '../support/redis-parts.ts';
import { startRedis } from '../support/redis-server.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

describe('Redis that is away', requireProgram('redis-server', 'redis-cli'), () => {
  let server: RedisServer;
  let parts: RedisParts;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());
  beforeEach(async (context) => {
    parts = await openRedis(server.config());
    if ('after' in context) context.after(() => parts.stop());
  });

  test('paused: the first command is a miss, those after it are not even sent', async () => {
    await parts.cache.set('key', 'value', 60_000);
    server.pause();
    try {
      assert.equal(await parts.cache.get('key'), null);
      assert.equal(parts.gate.open, false);
      let sent = 0;
      const skipped = await parts.gate.attempt(async () => {
        sent += 1;
        return Promise.resolve('sent');
      }, 'skipped');
      assert.deepEqual([skipped, sent], ['skipped', 0]);
      assert.equal(await parts.cache.delete(['key']), false, 'a deletion nobody confirmed is not confirmed');
      assert.equal(await parts.announcer.announce([someChange()]), false);
    } finally {
      server.resume();
    }
    await eventually('the cache to be used again', () => parts.gate.open);
    assert.equal(await parts.cache.get('key'), 'value');
  });

  test('a change that could not be sent, because an answer was late, reaches others once Redis answers', async (context) => {
    const others = await openRedis(server.config(), parts.realm);
    context.after(() => others.stop());
    const listener = recordingListener();
    await others.feed.start(listener);
    const change = someChange();
    server.pause();
    try {
      await parts.cache.get('key');
      assert.equal(parts.gate.open, false);
      assert.equal(await parts.announcer.announce([change]), false, 'not even sent');
    } finally {
      server.resume();
    }
    await eventually('the change', () => listener.changes.length > 0);
    assert.deepEqual(listener.changes, [change]);
    await parts.announcer.flush();
  });

  test('what waits for a Redis that is gone holds up nobody who ends', async () => {
    await server.kill();
    await eventually('the gate to close', () => !parts.gate.open);
    assert.equal(await parts.announcer.announce([someChange()]), false);
    await parts.announcer.flush();
    assert.equal(parts.gate.open, false);
    await server.restart();
  });

  test('killed and started again: found again by itself, and told once each way', async () => {
    await server.kill();
    await eventually('the gate to close', () => !parts.gate.open);
    for (let count = 0; count < 100; count += 1) assert.equal(await parts.cache.get('key'), null);
    await server.restart();
    await eventually('the cache to be used again', () => parts.gate.open);
    const states = parts.reports.map((report) => report.up);
    assert.deepEqual([states[0], states.at(-1)], [true, true]);
    assert.ok(states.slice(1, -1).every((up) => !up) && states.length <= 6, JSON.stringify(parts.reports));
  });

  test('not there at the start: opening does not fail, and finds it once it comes', async (context) => {
    await server.kill();
    const late = await openRedis(server.config());
    context.after(() => late.stop());
    assert.equal(late.gate.open, false);
    assert.equal(await late.cache.get('key'), null);
    const listener = recordingListener();
    await late.feed.start(listener);
    assert.deepEqual(listener.calls, []);
    await server.restart();
    await eventually('the feed to be heard', () => listener.calls.includes('heard'));
    assert.equal(listener.calls[0], 'gap');
    assert.equal(late.gate.open, true);
  });

  test('a process too busy to read an answer in time does not call Redis away', async () => {
    await parts.cache.set('key', 'value', 60_000);
    await delay(5_100); // a gate that opened just now believes the first failure
    await nextTurn(); // so that timers come before sockets when the work below is done
    const answer = parts.cache.get('key');
    const busyUntil = performance.now() + 150;
    while (performance.now() < busyUntil);
    assert.equal(await answer, null, 'late is late');
    await eventually('the cache to be used again', () => parts.gate.open);
    assert.equal(await parts.cache.get('key'), 'value');
    assert.deepEqual(parts.reports, [{ up: true, reason: null }]);
  });

  test('full: reading goes on although nothing can be written', async () => {
    await parts.cache.set('key', 'value', 60_000);
    await server.cli('config', 'set', 'maxmemory', '1');
    try {
      await parts.cache.set('other', 'value', 60_000);
      await parts.cache.set('third', 'value', 60_000);
      assert.equal(await parts.cache.get('key'), 'value');
      assert.equal(parts.reports.filter((report) => report.reason?.startsWith('OOM')).length, 1);
    } finally {
      await server.cli('config', 'set', 'maxmemory', '0');
    }
  });
});

describe('the change feed over Redis', requireProgram('redis-server', 'redis-cli'), () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  const open = async (
    context: { after(run: () => Promise<void>): void },
    ...args: Parameters<typeof openRedis>
  ): Promise<RedisParts> => {
    const parts = await openRedis(...args);
    context.after(() => parts.stop());
    return parts;
  };

  test('a lost connection ends in a gap before the feed counts as heard again', async (context) => {
    const parts = await open(context, server.config());
    const listener = recordingListener();
    await parts.feed.start(listener);
    const calls = listener.calls.length;
    await server.cli('client', 'kill', 'type', 'pubsub');
    await eventually('a gap', () => listener.calls.slice(calls).includes('gap'));
    await eventually('to be heard', () => listener.calls.slice(calls).includes('heard'));
    assert.ok(listener.calls.indexOf('gap', calls) < listener.calls.indexOf('heard', calls));
  });

  test('a subscription that receives nothing is silent, and is made anew', async (context) => {
    const proxy = await startTcpProxy(server.port);
    context.after(() => proxy.stop());
    const parts = await open(context, server.config({ nodes: [`redis://127.0.0.1:${proxy.port}`] }));
    const listener = recordingListener();
    await parts.feed.start(listener);
    const gaps = (): number => listener.calls.filter((call) => call === 'gap').length;
    assert.equal(gaps(), 1);
    proxy.freezeDownstream((text) => text.includes('subscribe'));
    await eventually('a new subscription', () => gaps() === 2, { withinMs: 10_000 });
    assert.equal(parts.gate.open, true, 'the connection for commands was never touched');
  });

  test('while paused it is silent, and afterwards nothing said meanwhile is lost', async (context) => {
    const realm = testRealm();
    const [hearing, announcing] = [
      await open(context, server.config(), realm),
      await open(context, server.config(), realm),
    ];
    const listener = recordingListener();
    await hearing.feed.start(listener);
    const change = someChange();
    server.pause();
    try {
      assert.equal(await announcing.announcer.announce([change]), false, 'not confirmed');
    } finally {
      server.resume();
    }
    // Carried out late by the server, because it was only paused.
    await eventually(
      'the change or a gap',
      () => listener.changes.length > 0 || listener.calls.lastIndexOf('gap') > 0,
    );
  });

  test('more changes than fit one message all arrive', async (context) => {
    const realm = testRealm();
    const [hearing, announcing] = [
      await open(context, server.config(), realm),
      await open(context, server.config(), realm),
    ];
    const listener = recordingListener();
    await hearing.feed.start(listener);
    const changes = Array.from({ length: 1_234 }, (_, at) => someChange(at));
    assert.equal(await announcing.announcer.announce(changes), true);
    await eventually('all of them', () => listener.changes.length === changes.length);
    assert.deepEqual(listener.changes, changes);
  });

  test('two stores on one Redis do not hear each other', async (context) => {
    const [hearing, other] = [await open(context, server.config()), await open(context, server.config())];
    const [listener, otherListener] = [recordingListener(), recordingListener()];
    await Promise.all([hearing.feed.start(listener), other.feed.start(otherListener)]);
    await other.announcer.announce([someChange()]);
    await eventually('the other to hear itself', () => otherListener.changes.length === 1);
    assert.equal(listener.changes.length, 0);
  });

  test('whatever cannot be understood counts as a gap, is told of once, and harms nothing else', async (context) => {
    const realm = testRealm();
    const parts = await open(context, server.config(), realm);
    const stranger = await open(context, server.config(), realm, [new Uint8Array(32).fill(8)]);
    const listener = recordingListener();
    const gaps = (): number => listener.calls.filter((call) => call === 'gap').length;
    await parts.feed.start(listener);
    assert.equal(gaps(), 1, 'every subscription begins with one');

    await stranger.announcer.announce([someChange()]);
    for (const text of ['', 'x', '.'.repeat(50), 'x'.repeat(70_000)]) {
      await server.cli('publish', parts.codec.channel, text);
    }
    const incomprehensible = parts.codec.encode({ kind: 'beat', sender: 'two words', sequence: 1 });
    await server.cli('publish', parts.codec.channel, incomprehensible);
    const change = someChange();
    await parts.announcer.announce([change]);

    await eventually('what came after them', () => listener.changes.length > 0);
    assert.deepEqual(listener.changes, [change]);
    assert.equal(gaps(), 7);
    assert.deepEqual(parts.ignored, ['foreign', 'unreadable']);
  });

  test('a gateway that signs with a newer key is understood by one that knows it', async (context) => {
    const realm = testRealm();
    const newer = new Uint8Array(32).fill(9);
    const hearing = await open(context, server.config(), realm, [...testKeys, newer]);
    const announcing = await open(context, server.config(), realm, [newer, ...testKeys]);
    const listener = recordingListener();
    await hearing.feed.start(listener);
    await announcing.announcer.announce([someChange()]);
    await eventually('the change', () => listener.changes.length === 1);
  });
});
