import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BackendQueue } from '../../../src/gateway/backend-queue.ts';

/** Takes everything out, as if each owner then had one request more under way. */
function order(queue: BackendQueue<string>, busy: Map<string, number>): readonly string[] {
  const taken: string[] = [];
  for (let item = queue.next(); item !== null; item = queue.next()) {
    taken.push(item);
    const [owner = ''] = item;
    busy.set(owner, (busy.get(owner) ?? 0) + 1);
  }
  return taken;
}

function queueOf(busy: Map<string, number>, items: readonly string[]): BackendQueue<string> {
  const queue = new BackendQueue<string>((owner) => busy.get(owner) ?? 0);
  for (const item of items) queue.add(item.slice(0, 1), item);
  return queue;
}

describe('requests that wait for a connection', () => {
  test('of a token with few under way go before those of one with many', () => {
    const busy = new Map([['m', 64]]);
    const queue = queueOf(busy, ['m1', 'm2', 'm3', 'a1']);
    assert.deepEqual(order(queue, busy), ['a1', 'm1', 'm2', 'm3']);
  });

  test('of tokens with equally many take turns, each token its own in the order they came', () => {
    const busy = new Map<string, number>();
    const queue = queueOf(busy, ['m1', 'm2', 'm3', 'a1', 'a2', 'b1']);
    assert.deepEqual(order(queue, busy), ['m1', 'a1', 'b1', 'm2', 'a2', 'm3']);
  });

  test('take turns also where each is over before the next begins', () => {
    const queue = queueOf(new Map(), ['m1', 'm2', 'a1', 'm3', 'a2']);
    const taken = Array.from({ length: 5 }, () => queue.next());
    assert.deepEqual(taken, ['m1', 'a1', 'm2', 'a2', 'm3']);
  });

  test('are not served when they were taken back', () => {
    const queue = queueOf(new Map(), ['m1', 'm2', 'a1']);
    assert.equal(queue.delete('m', 'm1'), true);
    assert.equal(queue.delete('a', 'a1'), true);
    assert.equal(queue.delete('a', 'a1'), false);
    assert.deepEqual([queue.next(), queue.next()], ['m2', null]);
  });
});
