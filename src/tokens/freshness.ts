/*
 * May caches answer? Each channel of changes is in one of three states, and what happens to it decides:
 *
 *   state of a channel          | heard                     | gap     | 4 s of silence, or a clock that stepped as far
 *   ----------------------------+---------------------------+---------+-----------------------------------------------
 *   vouching: continuous, heard | vouching                  | broken  | silent
 *   silent: continuous, unheard | vouching                  | broken  | silent
 *   broken: start, after a gap  | vouching, if nobody else  | broken  | broken
 *                               | vouches: forget first (*) |         |
 *
 *   (*) Where another vouches, it listened all along: the broken one is mended when that one is heard next.
 *
 *   caches                      | some channel is vouching  | none is
 *   ----------------------------+---------------------------+--------------------------------------------------------
 *   own memory (isFresh)        | answers                   | does not: the store is asked for every request
 *   shared (trustsShared)       | answers from 11 minutes   | not asked
 *                               | after the last forgetting,|
 *                               | or at once where a feed   |
 *                               | replays, at the start     |
 *
 *   Forgetting (everything cached stops counting, generation + 1): a broken channel heard, or a gap, while nobody
 *   vouches; and more tombstones than are kept. A change forgets only what it names, by a tombstone.
 */
import type { Change } from '../core/change.ts';
import { type Clock, type Moment, readClocks } from '../core/clock.ts';
import type { TokenId, UserId } from '../core/ids.ts';
import type { ChangeListener } from './change-feed.ts';

/** A channel counts as heard for this long, by both clocks. */
export const channelSilenceMsMax = 4_000;
/**
 * Tombstones outlive the longest cache entry (10 minutes) by the clock difference we tolerate (1 minute). Both clocks
 * must have run that long: shared entries age by the wall clock, and where it is set back they grow younger.
 */
export const tombstoneMs: number = 11 * 60_000;

/**
 * The changes of 15 minutes are told at the start, and shared entries live for 10, with a minute between clocks: a start
 * with a clock ahead by more than the rest may have been told too few, which shows when it is set back.
 */
const setBackMsMax = 4 * 60_000;

/** Whose state a cached answer rests on, and which state that was. */
export interface Subject {
  /** Null where no token is involved (main password). */
  readonly tokenId: TokenId | null;
  readonly tokenVersion: number;
  readonly userId: UserId;
  readonly userVersion: number;
}

/**
 * Knows which cached answers still count: the latest changes, and whether we would have heard of them.
 */
export interface Freshness {
  /** Grows when everything cached before stops counting. */
  readonly generation: number;
  /**
   * Whether caches may answer at all: some channel was heard within 4 s by the wall clock and the monotonic one.
   * `at` is now, for whoever has read the clocks already.
   */
  isFresh(at?: Moment): boolean;
  /** Whether entries that other processes left in a shared cache may be believed at this moment. */
  trustsShared(): boolean;
  /**
   * Whether nothing known contradicts an answer about `subject` (null: about nobody) whose reading began
   * in that generation. Asked at every hit and again when a fill completes.
   */
  counts(generation: number, subject: Subject | null): boolean;
  /** Takes changes that this process made itself or that a channel brought. */
  apply(changes: readonly Change[]): void;
  /** A listener for one channel, to hand to its `ChangeFeed`. */
  listener(feed: FeedKind): ChangeListener;
}

/** What freshness must know about a channel. */
export interface FeedKind {
  /** True where `start` reports all changes of the last 15 minutes, so that shared entries may be believed at once. */
  readonly replaysRecent: boolean;
}

interface FreshnessDeps {
  readonly clock: Clock;
  /** Tombstones kept at most; more, and everything cached stops counting instead. Default 200,000. */
  readonly tombstonesMax?: number;
}

interface Tombstone extends Moment {
  readonly leastVersion: number;
}

const never: Moment = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };

interface Channel {
  heardMonotonic: number;
  heardWall: number;
  /** False from the start and from a gap, until nothing cached can rest on what this channel has missed. */
  continuous: boolean;
}

/** One per process: state shared by every cache of verdicts. */
export function createFreshness({ clock, tombstonesMax = 200_000 }: FreshnessDeps): Freshness {
  const channels: Channel[] = [];
  const tombstones = new Map<string, Tombstone>();
  let generation = 0;
  /** Since when shared entries are in doubt. Null: nothing has vouched for them yet. */
  let doubtedSince: Moment | null = null;
  /** The wall clock over the monotonic one when recent changes were told. */
  let toldAtOffset = Number.NEGATIVE_INFINITY;
  /** When tombstones were thrown away that could have contradicted shared entries. */
  let overflowedAt = never;

  const isLongAgo = ({ monotonic, wall }: Moment): boolean =>
    clock.monotonic() - monotonic > tombstoneMs && clock.now() - wall > tombstoneMs;

  const isHeard = (channel: Channel, at: Moment): boolean =>
    at.monotonic - channel.heardMonotonic <= channelSilenceMsMax &&
    Math.abs(at.wall - channel.heardWall) <= channelSilenceMsMax;

  function isAnyVouching(at: Moment = readClocks(clock)): boolean {
    for (const channel of channels) if (channel.continuous && isHeard(channel, at)) return true;
    return false;
  }

  function forgetEverything(): void {
    generation++;
    // Others may have left entries that a missed change contradicts: wait until those have run out.
    doubtedSince = readClocks(clock);
  }

  function bury(key: string, leastVersion: number): void {
    const known = tombstones.get(key);
    tombstones.delete(key);
    // Re-inserted last, so that the oldest stand first.
    const least = Math.max(leastVersion, known?.leastVersion ?? 0);
    tombstones.set(key, { leastVersion: least, ...readClocks(clock) });
  }

  function dropOldTombstones(): void {
    for (const [key, tombstone] of tombstones) {
      if (!isLongAgo(tombstone)) break;
      tombstones.delete(key);
    }
  }

  function apply(changes: readonly Change[]): void {
    dropOldTombstones();
    for (const change of changes) {
      bury(change.kind === 'token' ? change.tokenId : change.userId, change.version);
      if (tombstones.size > tombstonesMax) {
        tombstones.clear();
        forgetEverything();
        overflowedAt = readClocks(clock);
      }
    }
  }

  /** Whoever listened all along and is heard now vouches for what the others missed before this moment. */
  function heard(channel: Channel): void {
    const at = readClocks(clock);
    channel.heardMonotonic = at.monotonic;
    channel.heardWall = at.wall;
    if (channel.continuous) {
      for (const other of channels) other.continuous ||= isHeard(other, at);
    } else if (!isAnyVouching(at)) {
      forgetEverything();
      channel.continuous = true;
    }
  }

  function doubtIfSetBack(): void {
    const at = readClocks(clock);
    const offset = at.wall - at.monotonic;
    if (toldAtOffset - offset <= setBackMsMax) return;
    doubtedSince = at;
    toldAtOffset = offset;
  }

  function listener({ replaysRecent }: FeedKind): ChangeListener {
    const channel = {
      heardMonotonic: Number.NEGATIVE_INFINITY,
      heardWall: Number.NEGATIVE_INFINITY,
      continuous: false,
    };
    let replayed = !replaysRecent;
    channels.push(channel);
    return {
      changed: apply,
      heard() {
        heard(channel);
        if (!replayed) {
          doubtedSince = never;
          toldAtOffset = clock.now() - clock.monotonic();
        }
        replayed = true;
      },
      gap() {
        channel.continuous = false;
        replayed = true;
        // Where another channel is alive it will vouch for what this one missed; else this one forgets when heard.
        if (!isAnyVouching()) forgetEverything();
      },
    };
  }

  return {
    get generation() {
      return generation;
    },
    isFresh: isAnyVouching,
    trustsShared() {
      doubtIfSetBack();
      return doubtedSince !== null && isLongAgo(doubtedSince) && isLongAgo(overflowedAt);
    },
    counts(born, subject) {
      if (born !== generation) return false;
      if (subject === null || tombstones.size === 0) return true;
      if (subject.userVersion < (tombstones.get(subject.userId)?.leastVersion ?? 0)) return false;
      if (subject.tokenId === null) return true;
      return subject.tokenVersion >= (tombstones.get(subject.tokenId)?.leastVersion ?? 0);
    },
    apply,
    listener,
  };
}
