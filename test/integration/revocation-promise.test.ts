import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisConfig } from '../../src/config/config.ts';
import { eventually } from '../support/eventually.ts';
import { assertPromiseKept, hammerUntilKnown, promisedCalmMs, promisedMs } from '../support/promise-watch.ts';
import { startRedis } from '../support/redis-server.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';
import type { Scratch } from '../support/scratch.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { openTokenOffice, testPeppers } from '../support/token-office.ts';
import type { OfficeToken, TokenOffice } from '../support/token-office.ts';
import { machineMs, startVerifier } from '../support/verifier-process.ts';
import type { VerifierProcess } from '../support/verifier-process.ts';

/**
 * One SQLite file, one Redis. Two processes verify the same tokens some hundred times a second and note when
 * each verification began; this process changes the tokens. The wire of the second process to Redis can be cut.
 */
describe('the revocation promise', requireProgram('redis-server', 'redis-cli'), () => {
  let scratch: Scratch;
  let redis: RedisServer;
  let wire: TcpProxy;
  let office: TokenOffice;
  let verifiers: VerifierProcess[];
  let valid: string;

  const start = (config: RedisConfig | null = redis.config()): Promise<VerifierProcess> =>
    startVerifier({ storePath: scratch.file('store.db'), redis: config, peppers: testPeppers });

  before(async () => {
    scratch = await makeScratch('promise');
    redis = await startRedis();
    wire = await startTcpProxy(redis.port);
    office = await openTokenOffice(scratch.file('store.db'), redis.config());
    verifiers = await Promise.all([
      start(),
      start(redis.config({ nodes: [`redis://127.0.0.1:${wire.port}`] })),
    ]);
    valid = (await office.mint('alice')).secret;
  });
  after(async () => {
    await Promise.all(verifiers.map((verifier) => verifier.stop()));
    await office.close();
    await wire.stop();
    await redis.stop();
    await scratch.remove();
  });

  const hammer = (tokens: Record<string, string>, processes = verifiers): Promise<void> =>
    hammerUntilKnown(processes, { ...tokens, valid });
  const assertKept = (returnedAt: number, boundMs: number, processes = verifiers): Promise<void> =>
    assertPromiseKept(processes, returnedAt, boundMs);

  for (const [what, change] of [
    ['revoked', (token) => office.revoke(token.id)],
    ['disabled', (token) => office.disable(token.id)],
    ['rotated, in its old form', (token) => office.rotate(token.id).then(() => undefined)],
  ] satisfies [string, (token: OfficeToken) => Promise<void>][]) {
    test(`without faults a token is refused within 100 ms of being ${what}`, async () => {
      const token = await office.mint('alice');
      await hammer({ token: token.secret });
      await change(token);
      await assertKept(machineMs(), promisedCalmMs);
    });
  }

  test('without faults all tokens of a user are refused within 100 ms of disabling the user', async () => {
    const tokens = [await office.mint('mallory'), await office.mint('mallory')] as const;
    await hammer({ one: tokens[0].secret, two: tokens[1].secret });
    await office.disableUser('mallory');
    await assertKept(machineMs(), promisedCalmMs);
  });

  test('a rotated token works at once in its new form', async () => {
    const token = await office.mint('alice');
    await hammer({ token: token.secret });
    const fresh = await office.rotate(token.id);
    await hammer({ fresh });
    for (const verifier of verifiers) {
      const report = await verifier.report();
      assert.deepEqual(report.tokens['fresh']?.reasons, {});
    }
  });

  test('forty tokens revoked in the moment of their first use are refused within 100 ms', async () => {
    const tokens = await Promise.all(Array.from({ length: 40 }, () => office.mint('alice')));
    const hammered = Object.fromEntries(tokens.map(({ secret }, at) => [`token ${at}`, secret]));
    const started = verifiers.map((verifier) => verifier.hammer({ ...hammered, valid }));
    for (const { id } of tokens) await office.revoke(id);
    const returnedAt = machineMs();
    await Promise.all(started);
    await assertKept(returnedAt, promisedCalmMs);
  });

  for (const [fault, begin, end] of [
    ['paused', async () => redis.pause(), async () => redis.resume()],
    ['down', () => redis.kill(), () => redis.restart()],
  ] satisfies [string, () => Promise<void>, () => Promise<void>][]) {
    test(`while Redis is ${fault} tokens old and new are verified without a fault`, async () => {
      const [old, unused] = [await office.mint('alice'), await office.mint('alice')];
      await hammer({ old: old.secret });
      await begin();
      try {
        const fresh = await office.mint('alice');
        await hammer({ old: old.secret, unused: unused.secret, fresh: fresh.secret });
        for (const verifier of verifiers) {
          for (const token of Object.values((await verifier.report()).tokens)) {
            assert.deepEqual({ ...token.reasons, faults: token.faults }, { faults: 0 });
          }
        }
      } finally {
        await end();
      }
    });
  }

  test('Redis killed before the revocation, started empty after it', async () => {
    const token = await office.mint('alice');
    await hammer({ token: token.secret });
    await redis.kill();
    await office.revoke(token.id);
    const returnedAt = machineMs();
    await redis.restart();
    await assertKept(returnedAt, promisedMs);
  });

  test('Redis paused while revoking, and continued', async () => {
    const token = await office.mint('alice');
    await hammer({ token: token.secret });
    redis.pause();
    try {
      await office.revoke(token.id);
      const returnedAt = machineMs();
      await delay(500);
      redis.resume();
      await assertKept(returnedAt, promisedMs);
    } finally {
      redis.resume();
    }
  });

  test('Redis flushed around the revocation', async () => {
    const token = await office.mint('alice');
    await hammer({ token: token.secret });
    await redis.cli('flushall');
    await office.revoke(token.id);
    const returnedAt = machineMs();
    await redis.cli('flushall');
    await assertKept(returnedAt, promisedMs);
  });

  test('the wire to Redis cut while revoking, for one of the processes', async () => {
    const token = await office.mint('alice');
    await hammer({ token: token.secret });
    wire.cut();
    try {
      await office.revoke(token.id);
      const returnedAt = machineMs();
      await delay(500);
      wire.mend();
      await assertKept(returnedAt, promisedMs);
    } finally {
      wire.mend();
    }
  });

  test('a process paused over the revocation', async () => {
    const token = await office.mint('alice');
    await hammer({ token: token.secret });
    const [paused] = verifiers;
    assert.ok(paused !== undefined);
    paused.pause();
    try {
      await office.revoke(token.id);
      const returnedAt = machineMs();
      await delay(promisedMs + 200);
      paused.resume();
      await assertKept(returnedAt, promisedMs);
    } finally {
      paused.resume();
    }
  });

  test('a stale entry written to Redis late misleads neither running processes nor one that starts then', async () => {
    const [token, witness] = [await office.mint('alice'), await office.mint('alice')];
    await hammer({ token: token.secret, witness: witness.secret });
    const entries = await eventually('the token to be shared', async () => {
      const found = await redis.snapshot('latchkey:*');
      const isShared = (id: string): boolean => [...found.values()].some((value) => value.includes(id));
      return isShared(token.id) && isShared(witness.id) ? found : null;
    });
    await hammer({ token: token.secret });
    await office.revoke(token.id);
    const returnedAt = machineMs();
    for (const [key, value] of entries) await redis.cli('set', key, value, 'px', '600000');
    await assertKept(returnedAt, promisedMs);
    const late = await start();
    try {
      await late.hammer({ token: token.secret, valid: witness.secret });
      await eventually(
        'the valid token to come out of Redis',
        async () => ((await late.report()).tokens['valid']?.tiers['redis'] ?? 0) > 0,
      );
      await assertKept(returnedAt, 0, [late]);
    } finally {
      await late.stop();
    }
  });

  test('the journal silent: Redis alone carries the revocation', async () => {
    const deaf = await start();
    try {
      const token = await office.mint('alice');
      await hammer({ token: token.secret }, [deaf]);
      await deaf.deafenJournal();
      await delay(promisedMs); // long enough for Redis to be the only channel that was heard
      await office.revoke(token.id);
      await assertKept(machineMs(), promisedMs, [deaf]);
      assert.ok(((await deaf.report()).tokens['valid']?.tiers['l1'] ?? 0) > 500, 'memory went on answering');
    } finally {
      await deaf.stop();
    }
  });

  test('no channel heard at all: the store is asked before the promise is broken', async () => {
    const deaf = await start(null);
    try {
      const token = await office.mint('alice');
      await hammer({ token: token.secret }, [deaf]);
      await deaf.deafenJournal();
      await office.revoke(token.id);
      await assertKept(machineMs(), promisedMs, [deaf]);
      await eventually(
        'every request to be answered by the store',
        async () => ((await deaf.report()).tokens['valid']?.tiers['store'] ?? 0) > 50,
      );
    } finally {
      await deaf.stop();
    }
  });
});
