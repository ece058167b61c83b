import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock } from '../../../src/core/clock.ts';
import type { TokenId, UserId } from '../../../src/core/ids.ts';
import { createFreshness, type Freshness, tombstoneMs } from '../../../src/tokens/freshness.ts';

const tokenId = 'token' as TokenId;
const userId = 'user' as UserId;
const old = { tokenId, tokenVersion: 1, userId, userVersion: 1 };

/** Two clocks that run together until one is set. */
function twoClocks(): Clock & { run(ms: number): void; setBack(ms: number): void } {
  let [wall, monotonic] = [1_700_000_000_000, 5_000];
  return {
    now: () => wall,
    monotonic: () => monotonic,
    run(ms) {
      wall += ms;
      monotonic += ms;
    },
    setBack: (ms) => void (wall -= ms),
  };
}

/** Drops tombstones that are due, as every change does. */
function anyChange(freshness: Freshness): void {
  freshness.apply([{ kind: 'token', tokenId: 'another' as TokenId, version: 2 }]);
}

describe('what is known of changes when the wall clock is set back', () => {
  test('a tombstone lasts as long as an entry could look young', () => {
    const clock = twoClocks();
    const freshness = createFreshness({ clock });
    freshness.apply([{ kind: 'token', tokenId, version: 2 }]);
    clock.run(300_000);
    clock.setBack(300_000);
    clock.run(tombstoneMs - 1_000); // by the wall clock the entry is younger than its limit again
    anyChange(freshness);
    assert.equal(freshness.counts(0, old), false);
    clock.run(2_000);
    anyChange(freshness);
    assert.equal(freshness.counts(0, old), true, 'and no longer');
  });

  test('a tombstone is not dropped early where the wall clock leaps ahead', () => {
    const clock = twoClocks();
    const freshness = createFreshness({ clock });
    freshness.apply([{ kind: 'user', userId, version: 2 }]);
    clock.setBack(-86_400_000);
    clock.run(1_000);
    anyChange(freshness);
    assert.equal(freshness.counts(0, old), false);
  });

  test('doubt about shared entries lasts as long by the wall clock too', () => {
    const clock = twoClocks();
    const freshness = createFreshness({ clock });
    const channel = freshness.listener({ replaysRecent: false });
    channel.gap();
    channel.heard();
    clock.setBack(120_000);
    clock.run(tombstoneMs + 60_000);
    assert.equal(freshness.trustsShared(), false);
    clock.run(61_000);
    assert.equal(freshness.trustsShared(), true);
  });

  test('shared entries count at once where the recent changes were told at the start', () => {
    const clock = twoClocks();
    const freshness = createFreshness({ clock });
    const channel = freshness.listener({ replaysRecent: true });
    assert.equal(freshness.trustsShared(), false);
    channel.changed([{ kind: 'token', tokenId, version: 2 }]);
    channel.heard();
    assert.equal(freshness.trustsShared(), true);
    assert.equal(freshness.counts(freshness.generation, old), false);
  });

  test('shared entries are in doubt where the clock by which recent changes were told was an hour ahead', () => {
    const clock = twoClocks();
    const freshness = createFreshness({ clock });
    const channel = freshness.listener({ replaysRecent: true });
    channel.heard();
    clock.run(60_000);
    clock.setBack(180_000);
    assert.equal(freshness.trustsShared(), true, 'what was told reaches back far enough for small steps');
    clock.setBack(3_600_000);
    channel.heard();
    assert.equal(freshness.trustsShared(), false);
    clock.run(tombstoneMs + 1_000);
    assert.equal(freshness.trustsShared(), true, 'and until what may have been missed has run out');
  });
});
