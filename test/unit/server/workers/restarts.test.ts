import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRestarts } from '../../../../src/server/workers/restarts.ts';
import { steppedClock } from '../../../support/stepped-clock.ts';

test('a first death is made good at once, further ones after twice as long each, half a minute at most', () => {
  const restarts = createRestarts(steppedClock());
  const delays = Array.from({ length: 9 }, () => restarts.died());
  assert.deepEqual(delays, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(restarts.deaths, 9);
});

test('a worker that has served for a minute has nothing to do with earlier deaths', () => {
  const clock = steppedClock();
  const restarts = createRestarts(clock);
  restarts.died();
  restarts.died();
  restarts.ready();
  clock.advance(59_000);
  assert.equal(restarts.died(), 2_000);
  restarts.ready();
  clock.advance(60_000);
  assert.equal(restarts.died(), 0);
});
