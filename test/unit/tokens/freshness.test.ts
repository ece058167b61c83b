import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { TokenId, UserId } from '../../../src/core/ids.ts';
import type { ChangeListener } from '../../../src/tokens/change-feed.ts';
import {
  channelSilenceMsMax,
  createFreshness,
  type Freshness,
  tombstoneMs,
} from '../../../src/tokens/freshness.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';

const [tokenId, userId] = ['token' as TokenId, 'user' as UserId];
const subject = { tokenId, tokenVersion: 3, userId, userVersion: 5 };

let clock: SteppedClock;
let freshness: Freshness;
let journal: ChangeListener;
let pubSub: ChangeListener;

beforeEach(() => {
  clock = steppedClock();
  freshness = createFreshness({ clock, tombstonesMax: 10 });
  journal = freshness.listener({ replaysRecent: true });
  pubSub = freshness.listener({ replaysRecent: false });
});

describe('caches may answer', () => {
  test('never before a channel was heard', () => assert.ok(!freshness.isFresh()));

  test('for four seconds after any channel was heard', () => {
    journal.heard();
    clock.advance(channelSilenceMsMax);
    assert.ok(freshness.isFresh());
    clock.advance(1);
    assert.ok(!freshness.isFresh());
    pubSub.heard();
    assert.ok(freshness.isFresh());
  });

  test('not where either clock says it is longer ago, nor where the wall clock went back', () => {
    journal.heard();
    clock.stepWall(channelSilenceMsMax + 1);
    assert.ok(!freshness.isFresh());
    journal.heard();
    clock.stepWall(-channelSilenceMsMax - 1);
    assert.ok(!freshness.isFresh());
  });
});

describe('an answer counts', () => {
  const counts = (generation = freshness.generation): boolean => freshness.counts(generation, subject);

  test('until a newer version of its token or owner is announced', () => {
    journal.heard();
    journal.changed([{ kind: 'token', tokenId, version: 3 }]);
    journal.changed([{ kind: 'user', userId, version: 5 }]);
    assert.ok(counts());
    journal.changed([{ kind: 'token', tokenId, version: 4 }]);
    assert.ok(!counts());
  });

  test('not after a newer version of its owner, also where no token is involved', () => {
    journal.changed([{ kind: 'user', userId, version: 6 }]);
    assert.ok(!counts());
    assert.ok(!freshness.counts(freshness.generation, { ...subject, tokenId: null, tokenVersion: 0 }));
  });

  test('by the highest version announced, in whatever order', () => {
    journal.changed([{ kind: 'token', tokenId, version: 4 }]);
    pubSub.changed([{ kind: 'token', tokenId, version: 2 }]);
    assert.ok(!counts());
  });

  test('only in the generation in which reading it began', () => {
    journal.heard();
    const before = freshness.generation;
    journal.gap();
    assert.ok(!counts(before));
    assert.ok(!freshness.counts(before, null));
    assert.ok(counts());
  });

  test('not where more is announced than can be remembered', () => {
    journal.heard();
    const before = freshness.generation;
    const many = Array.from({ length: 11 }, (_, at) => ({
      kind: 'token' as const,
      tokenId: `t${at}` as TokenId,
      version: 2,
    }));
    journal.changed(many);
    assert.ok(!counts(before));
    assert.ok(!freshness.trustsShared());
  });
});

describe('where one of two channels misses something', () => {
  test('nothing is dropped while the other has heard everything', () => {
    journal.heard();
    const before = freshness.generation;
    pubSub.gap();
    pubSub.heard();
    journal.heard();
    assert.equal(freshness.generation, before);
    assert.ok(freshness.isFresh());
  });

  test('it does not count alone until the other has vouched for it', () => {
    journal.heard();
    clock.advance(3_000);
    pubSub.gap();
    pubSub.heard();
    clock.advance(1_001);
    assert.ok(!freshness.isFresh(), 'the journal is silent, the other has missed something');
  });

  test('it forgets everything once it is heard alone', () => {
    journal.heard();
    const before = freshness.generation;
    clock.advance(3_000);
    pubSub.gap();
    clock.advance(2_000);
    pubSub.heard();
    assert.notEqual(freshness.generation, before);
    assert.ok(freshness.isFresh());
    assert.ok(!freshness.trustsShared());
  });

  test('it carries on alone after the other vouched for it', () => {
    journal.heard();
    pubSub.heard();
    journal.heard();
    const before = freshness.generation;
    clock.advance(3_500);
    pubSub.heard();
    clock.advance(3_500);
    assert.ok(freshness.isFresh());
    assert.equal(freshness.generation, before);
  });
});

describe('entries of a shared cache are believed', () => {
  test('as soon as a channel has replayed what happened lately', () => {
    assert.ok(!freshness.trustsShared());
    journal.changed([{ kind: 'token', tokenId, version: 4 }]);
    journal.heard();
    assert.ok(freshness.trustsShared());
    assert.ok(!freshness.counts(freshness.generation, subject), 'and what it replayed counts');
  });

  test('only after they have run out where no channel replays', () => {
    pubSub.heard();
    assert.ok(!freshness.trustsShared());
    clock.advance(tombstoneMs + 1);
    assert.ok(freshness.trustsShared());
  });

  test('again only after they have run out where something was missed', () => {
    journal.heard();
    journal.gap();
    journal.heard();
    assert.ok(!freshness.trustsShared());
    clock.advance(tombstoneMs + 1);
    assert.ok(freshness.trustsShared());
  });
});
