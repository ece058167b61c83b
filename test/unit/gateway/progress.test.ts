import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { createProgressWatch, type ProgressWatch, type Transfer } from '../../../src/gateway/progress.ts';

const idleMs = 40_000;
const bodyRateMin = 10;
/** What a whole window has to move. */
const enough = (bodyRateMin * idleMs) / 1_000;

let watch: ProgressWatch;

beforeEach(() => {
  mock.timers.enable({ apis: ['setInterval', 'Date'] });
  watch = createProgressWatch({ idleMs, bodyRateMin }, { now: Date.now, monotonic: Date.now });
});

afterEach(() => {
  watch.stop();
  mock.timers.reset();
});

function transfer(waits = true): Transfer & { bytes: number; waits: boolean; stalled: number } {
  return {
    bytes: 0,
    waits,
    stalled: 0,
    movedBytes() {
      return this.bytes;
    },
    waitsForClient() {
      return this.waits;
    },
    stall() {
      this.stalled++;
    },
  };
}

/** Lets time pass as the watch sees it, `before` each quarter of a window. */
function pass(quarters: number, before: () => void = () => undefined): void {
  for (let at = 0; at < quarters; at++) {
    before();
    mock.timers.tick(idleMs / 4);
  }
}

describe('a transfer that waits for its client', () => {
  test('is ended after a whole window without enough bytes, once', () => {
    const slow = transfer();
    watch.add(slow);
    pass(3, () => slow.bytes++);
    assert.equal(slow.stalled, 0);
    pass(5, () => slow.bytes++);
    assert.equal(slow.stalled, 1);
  });

  test('lets others have their turn between the ends of a crowd, of which it may have left meanwhile', async () => {
    const crowd = Array.from({ length: 200 }, () => transfer());
    for (const each of crowd) watch.add(each);
    const ended = (): number => crowd.filter(({ stalled }) => stalled === 1).length;
    pass(4);
    assert.equal(ended(), 64);
    const left = crowd.at(-1);
    assert.ok(left);
    watch.delete(left);
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
    assert.deepEqual([ended(), left.stalled], [199, 0]);
  });

  test('goes on for ever while each window moves enough', () => {
    const steady = transfer();
    watch.add(steady);
    pass(100, () => {
      steady.bytes += enough / 4;
    });
    assert.equal(steady.stalled, 0);
  });

  test('is judged by what moves from now on, not by what moved before', () => {
    const late = transfer();
    late.bytes = 1_000_000;
    watch.add(late);
    pass(4);
    assert.equal(late.stalled, 1);
  });

  test('gets a whole window again after a burst', () => {
    const bursty = transfer();
    watch.add(bursty);
    pass(3);
    bursty.bytes += enough;
    pass(4);
    assert.equal(bursty.stalled, 0);
    pass(1);
    assert.equal(bursty.stalled, 1);
  });
});

test('a transfer that waits for the backend is left alone, and its window starts when that changes', () => {
  const waiting = transfer(false);
  watch.add(waiting);
  pass(20);
  assert.equal(waiting.stalled, 0);
  waiting.waits = true;
  pass(3);
  assert.equal(waiting.stalled, 0);
  pass(1);
  assert.equal(waiting.stalled, 1);
});

test('a transfer that was taken back, or whose watch stopped, is left alone', () => {
  const [done, running] = [transfer(), transfer()];
  watch.add(done);
  watch.add(running);
  watch.delete(done);
  pass(2);
  watch.stop();
  pass(10);
  assert.deepEqual([done.stalled, running.stalled], [0, 0]);
});

test('a limit of no bytes at all still wants one in each window', () => {
  watch.stop();
  watch = createProgressWatch({ idleMs, bodyRateMin: 0 }, { now: Date.now, monotonic: Date.now });
  const [silent, trickling] = [transfer(), transfer()];
  watch.add(silent);
  watch.add(trickling);
  pass(8, () => trickling.bytes++);
  assert.deepEqual([silent.stalled, trickling.stalled], [1, 0]);
});
