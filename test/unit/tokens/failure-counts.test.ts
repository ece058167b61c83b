import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createFailureCounts, type FailureCounts } from '../../../src/tokens/failure-counts.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';

let clock: SteppedClock;
let counts: FailureCounts;

beforeEach(() => {
  clock = steppedClock();
  counts = createFailureCounts({ clock, limit: 2, windowMs: 10_000, namesMax: 100 });
});

describe('failure counts', () => {
  test('remember no more names than they may: the one not asked about for longest is forgotten', () => {
    for (let name = 0; name < 100; name++) counts.add(`name ${name}`, 1);
    assert.equal(counts.room('name 0'), 1, 'asked about, so kept');
    for (let name = 100; name < 199; name++) counts.add(`name ${name}`, 1);
    assert.deepEqual(
      ['name 0', 'name 1', 'name 99', 'name 198'].map((name) => counts.room(name)),
      [1, 2, 2, 1],
    );
  });

  test('count no more marks for a name than its limit, and say so', () => {
    assert.deepEqual(
      [1, 1, 2, 2, 3, 4].map((mark) => counts.add('name', mark)),
      [true, false, true, false, false, false],
    );
    assert.equal(counts.room('name'), 0);
  });

  test('take over what others counted only where it is more, with its end', () => {
    counts.add('name', 1);
    counts.raise('name', { count: 1, endsInMs: 1 });
    clock.advance(5_000);
    assert.equal(counts.room('name'), 1, 'still the end of its own');
    counts.raise('name', { count: 7, endsInMs: 3_000 });
    assert.equal(counts.fullForMs('name'), 3_000);
    clock.advance(3_000);
    assert.deepEqual([counts.fullForMs('name'), counts.room('name')], [0, 2]);
  });

  test('never last longer than their window, whatever others say', () => {
    counts.raise('name', { count: 2, endsInMs: 1e9 });
    assert.equal(counts.fullForMs('name'), 10_000);
  });
});
