import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFailureBoard } from '../../../../src/server/workers/failure-board.ts';
import { steppedClock } from '../../../support/stepped-clock.ts';

test('names and guesses are bounded: the oldest name is forgotten, and counting stops far beyond any limit', () => {
  const board = createFailureBoard(steppedClock());
  for (let at = 0; at < 40_001; at++) board.add(`name ${at}`, 'guess', 1_000);
  assert.equal(board.add('name 0', 'other', 1_000).count, 1);
  assert.equal(board.add('name 40000', 'other', 1_000).count, 2);
  for (let at = 0; at < 2_000; at++) board.add('alice', `guess ${at}`, 1_000);
  assert.equal(board.add('alice', 'one more', 1_000).count, 1_000);
});
