import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { PepperId, TokenDigest, TokenId } from '../../../src/core/ids.ts';
import { createLastUse, type LastUse, type Redigest } from '../../../src/tokens/last-use.ts';
import type { TokenUse } from '../../../src/tokens/token-store.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';

const token = 'token' as TokenId;

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

describe('writing uses behind', () => {
  let clock: SteppedClock;
  let lastUse: LastUse;
  let batches: TokenUse[][];
  let redigests: TokenId[];
  let failure: Error | null;
  let faults: unknown[];
  beforeEach(() => {
    clock = steppedClock();
    [batches, redigests, failure, faults] = [[], [], null, []];
    lastUse = createLastUse({
      clock,
      onFault: (fault) => faults.push(fault),
      store: {
        async recordUses(uses) {
          if (failure !== null) throw failure;
          batches.push([...uses]);
        },
        async redigest(id) {
          if (failure !== null) throw failure;
          redigests.push(id);
        },
      },
    });
  });

  const written = (): readonly TokenUse[] => batches.flat();

  test('keeps of many uses the latest', async () => {
    lastUse.note(token, clock.now(), '192.0.2.1', 'curl', null);
    clock.advance(10);
    lastUse.note(token, clock.now(), '192.0.2.2', null, null);
    await lastUse.flush();
    assert.deepEqual(written(), [{ tokenId: token, at: clock.now(), address: '192.0.2.2', client: null }]);
  });

  test('keeps nothing of the request that a client name was cut from', () => {
    const collect = garbageCollector();
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 1_000; count++) {
      const head = Buffer.alloc(16_384, `secret ${count} `).toString('latin1');
      lastUse.note(`t${count}` as TokenId, clock.now(), '192.0.2.1', head.slice(100, 150), null);
    }
    collect();
    const keptBytes = process.memoryUsage().heapUsed - before;
    assert.ok(keptBytes < 4_000_000, `${keptBytes} bytes for 1,000 uses`);
  });

  test('writes one token at most once a minute, and nothing twice', async () => {
    for (let second = 0; second < 180; second++) {
      lastUse.note(token, clock.now(), '192.0.2.1', null, null);
      await lastUse.flush();
      clock.advance(1_000);
    }
    assert.equal(written().length, 3);
    clock.advance(60_000);
    await lastUse.flush();
    await lastUse.flush();
    assert.equal(written().length, 4, 'the last use of the last minute');
  });

  test('writes at once where the token would end before the next write', async () => {
    lastUse.note(token, clock.now(), '192.0.2.1', null, clock.now() + 29_000);
    await turn();
    await turn();
    assert.equal(written().length, 1);
  });

  test('does not write at every use of a token whose end is remembered too early', async () => {
    const end = clock.now() + 20_000;
    for (let uses = 0; uses < 50; uses++) {
      lastUse.note(token, clock.now(), '192.0.2.1', null, end);
      await turn();
      clock.advance(100);
    }
    assert.equal(written().length, 1);
  });

  test('leaves other work its turn between portions', async () => {
    for (let count = 0; count < 5_000; count++)
      lastUse.note(`t${count}` as TokenId, clock.now(), '192.0.2.1', null, null);
    const seen: number[] = [];
    const writing = lastUse.flush();
    // As a request would: it comes when the event loop turns.
    while (batches.length < 10) {
      seen.push(batches.length);
      await turn();
    }
    await writing;
    for (let earlier = 1; earlier < 10; earlier++)
      assert.ok(seen.includes(earlier), `${earlier} of ${seen.join()}`);
  });

  test('writes large numbers in portions', async () => {
    for (let count = 0; count < 1_201; count++)
      lastUse.note(`t${count}` as TokenId, clock.now(), '192.0.2.1', null, null);
    await lastUse.flush();
    assert.deepEqual(
      batches.map(({ length }) => length),
      [500, 500, 201],
    );
  });

  test('tries again what the store did not take, unless there is something newer', async () => {
    failure = new Error('disk full');
    lastUse.note(token, clock.now(), '192.0.2.1', null, null);
    lastUse.note('other' as TokenId, clock.now(), '192.0.2.1', null, null);
    await lastUse.flush();
    assert.deepEqual(faults, [failure]);
    lastUse.note(token, clock.now(), '192.0.2.9', null, null);
    failure = null;
    await lastUse.flush();
    assert.deepEqual(
      written()
        .map(({ tokenId, address }) => [tokenId, address])
        .toSorted(([a], [b]) => (a ?? '').localeCompare(b ?? '')),
      [
        ['other', '192.0.2.1'],
        ['token', '192.0.2.9'],
      ],
    );
  });

  test('drains everything, also what was written within the minute', async () => {
    lastUse.note(token, clock.now(), '192.0.2.1', null, null);
    await lastUse.flush();
    clock.advance(1_000);
    lastUse.note(token, clock.now(), '192.0.2.2', null, null);
    await lastUse.drain();
    assert.equal(written().at(-1)?.address, '192.0.2.2');
  });

  test('shortens what clients say of themselves', async () => {
    lastUse.note(token, clock.now(), '192.0.2.1', 'x'.repeat(10_000), null);
    await lastUse.flush();
    assert.equal(written()[0]?.client?.length, 200);
  });

  test('replaces a digest once, and forgets the order where the store is away', async () => {
    const order: Redigest = {
      tokenId: token,
      from: 'a' as TokenDigest,
      to: 'b' as TokenDigest,
      pepperId: 'p2' as PepperId,
    };
    lastUse.redigest(order);
    lastUse.redigest(order);
    await lastUse.flush();
    assert.deepEqual(redigests, [token]);
    failure = new Error('away');
    lastUse.redigest(order);
    await lastUse.flush();
    failure = null;
    await lastUse.flush();
    assert.deepEqual(redigests, [token]);
    assert.equal(faults.length, 1);
  });
});
