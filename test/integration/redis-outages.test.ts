import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { assertPromiseKept, hammerUntilKnown, promisedMs } from '../support/promise-watch.ts';
import { type RedisSentinel, startRedisSentinel } from '../support/redis-cluster.ts';
import { redisConfig, type RedisServer, startRedis } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { openTokenOffice, testPeppers, type TokenOffice } from '../support/token-office.ts';
import { machineMs, startVerifier, type VerifierProcess } from '../support/verifier-process.ts';

const needed = requireProgram('redis-server', 'redis-cli');

/**
 * One SQLite file, one Redis. One verifying process and one that changes tokens reach Redis over a wire that can be
 * damaged, another verifying process and another that changes tokens reach it as it is.
 */
describe('the revocation promise, where Redis', needed, () => {
  let scratch: Scratch;
  let redis: RedisServer;
  let wire: TcpProxy;
  let offices: readonly [TokenOffice, TokenOffice];
  let verifiers: readonly [VerifierProcess, VerifierProcess];
  let valid: string;
  before(async () => {
    scratch = await makeScratch('redis-outages');
    redis = await startRedis();
    wire = await startTcpProxy(redis.port);
    const storePath = scratch.file('store.db');
    const [whole, wired] = [redis.config(), redis.config({ nodes: [`redis://127.0.0.1:${wire.port}`] })];
    offices = [await openTokenOffice(storePath, whole), await openTokenOffice(storePath, wired)];
    const start = (config: typeof whole) => startVerifier({ storePath, redis: config, peppers: testPeppers });
    verifiers = [await start(whole), await start(wired)];
    valid = (await offices[0].mint('alice')).secret;
  });
  after(() =>
    endAll(
      ...(verifiers ?? []).map((verifier) => () => verifier.stop()),
      ...(offices ?? []).map((office) => () => office.close()),
      () => wire?.stop(),
      () => redis?.stop(),
      () => scratch?.remove(),
    ),
  );

  /** What one process read from the store, it leaves in Redis for the others. */
  async function assertShares(verifier: VerifierProcess): Promise<void> {
    await eventually(
      'a token to be left in Redis',
      async () => {
        const token = await offices[0].mint('alice');
        await verifier.hammer({ token: token.secret, valid });
        await eventually('its verification', async () => (await verifier.report()).tokens['token']?.verified);
        const entries = [...(await redis.snapshot('latchkey:*')).values()];
        return entries.some((entry) => entry.includes(token.id));
      },
      { withinMs: 15_000, everyMs: 200 },
    );
  }

  for (const [fault, begin, end] of [
    [
      'hears nothing over a wire whose one direction is dead',
      async () => wire.stall('up'),
      async () => wire.mend(),
    ],
    [
      'is not heard over a wire whose other direction is dead',
      async () => wire.stall('down'),
      async () => wire.mend(),
    ],
    ['and its clients send into a void', async () => wire.stall('up', 'down'), async () => wire.mend()],
    [
      'has lost its connections and its clients do not know',
      async () => wire.abandon(),
      async () => wire.mend(),
    ],
    [
      'takes no writes because it has become a replica',
      () => redis.cli('replicaof', '127.0.0.1', '1'),
      () => redis.cli('replicaof', 'no', 'one'),
    ],
    [
      'takes no writes because its memory is full',
      () => redis.cli('config', 'set', 'maxmemory', '1'),
      () => redis.cli('config', 'set', 'maxmemory', '0'),
    ],
    ['is emptied', () => redis.cli('flushall'), () => redis.cli('flushall')],
  ] satisfies [string, () => Promise<unknown>, () => Promise<unknown>][]) {
    test(`${fault}, is kept by whoever revokes, and all use it again afterwards`, async () => {
      const [one, other] = [await offices[0].mint('alice'), await offices[1].mint('alice')];
      await hammerUntilKnown(verifiers, { one: one.secret, other: other.secret, valid });
      await begin();
      try {
        await Promise.all([offices[0].revoke(one.id), offices[1].revoke(other.id)]);
        await assertPromiseKept(verifiers, machineMs(), promisedMs);
        const fresh = await offices[1].mint('alice');
        await hammerUntilKnown(verifiers, { fresh: fresh.secret, valid });
      } finally {
        await end();
      }
      // With what came over the wire late.
      await hammerUntilKnown(verifiers, { valid });
      for (const verifier of verifiers) {
        await verifier.hammer({ one: one.secret, other: other.secret, valid });
        await assertPromiseKept([verifier], machineMs(), 0);
        await assertShares(verifier);
      }
    });
  }

  test('comes and goes, leaves no descriptor behind', async () => {
    const [, wired] = verifiers;
    const open = async (): Promise<number> => (await readdir(`/proc/${wired.pid}/fd`)).length;
    await assertShares(wired);
    const calm = await open();
    for (let round = 0; round < 10; round++) {
      if (round % 2 === 0) wire.cut();
      else wire.abandon();
      await delay(50);
      wire.mend();
    }
    await assertShares(wired);
    // One of its two connections may have been on its way.
    await eventually('no more files to be open than before', async () => (await open()) <= calm + 1, {
      withinMs: 15_000,
    });
  });
});

describe('the revocation promise, while Sentinel replaces the master', needed, () => {
  let scratch: Scratch;
  let watched: RedisSentinel;
  let office: TokenOffice;
  let verifier: VerifierProcess;
  before(async () => {
    scratch = await makeScratch('redis-failover');
    watched = await startRedisSentinel();
    const config = redisConfig([`127.0.0.1:${watched.sentinel.port}`], {
      mode: 'sentinel',
      sentinelName: watched.name,
    });
    office = await openTokenOffice(scratch.file('store.db'), config);
    verifier = await startVerifier({
      storePath: scratch.file('store.db'),
      redis: config,
      peppers: testPeppers,
    });
  });
  after(() =>
    endAll(
      () => verifier?.stop(),
      () => office?.close(),
      () => watched?.stop(),
      () => scratch?.remove(),
    ),
  );

  test('is kept, no request sees a fault, and the successor is used', async () => {
    const [before, during, valid] = [
      await office.mint('bob'),
      await office.mint('bob'),
      await office.mint('bob'),
    ];
    const tokens = { before: before.secret, during: during.secret, valid: valid.secret };
    await hammerUntilKnown([verifier], tokens);
    // The successor may know nothing of this, or of its entry's end.
    await office.revoke(before.id);
    await watched.master.kill();
    await office.revoke(during.id);
    await assertPromiseKept([verifier], machineMs(), promisedMs);
    const shown: unknown[] = [];
    await eventually(
      'the successor to be used',
      async () => {
        const token = await office.mint('bob');
        await verifier.hammer({ ...tokens, token: token.secret });
        await eventually('its verification', async () => (await verifier.report()).tokens['token']?.verified);
        const report = (await verifier.report()).tokens;
        const { before: first, during: second, valid: always } = report;
        shown.push([first?.verified, second?.verified, always?.refused, always?.faults]);
        const entries = [...(await watched.replica.snapshot('latchkey:*')).values()];
        return entries.some((entry) => entry.includes(token.id));
      },
      { withinMs: 20_000, everyMs: 200 },
    );
    assert.deepEqual(
      shown,
      shown.map(() => [0, 0, 0, 0]),
    );
  });
});
