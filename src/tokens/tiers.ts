import { type Clock, type Moment, readClocks } from '../core/clock.ts';
import { Fault } from '../core/errors.ts';
import type { Peppers } from './digest.ts';
import type { Freshness, Subject } from './freshness.ts';
import { type Answer, createL1Cache } from './l1-cache.ts';
import type { SharedCache } from './shared-cache.ts';
import { sealEntry, unsealEntry } from './shared-entry.ts';
import type { Tier } from './verification.ts';

/** Clocks of different machines may differ by this much. */
const clockSkewMsMax = 60_000;
/** What took longer than this to read is not passed on. */
const shareWithinMs = 5_000;
/** Whoever comes this long after a fill began starts one of his own. */
const joinWithinMs = 1_000;
const attemptsMax = 3;

/** How long answers live, and how many. */
export interface TierLimits {
  /** Entries about somebody in this process's memory; a tenth as many about nobody come on top. */
  readonly l1EntriesMax: number;
  /** In memory, from when it was put there. */
  readonly l1Ms: number;
  /** In the shared cache, from when the store was asked: memory may keep for another `l1Ms` what it took from there. */
  readonly sharedMs: number;
  /** For "nobody has this credential", in every tier. */
  readonly negativeMs: number;
}

/** How to ask for one credential. `Fact` is plain JSON data. */
export interface Question<Fact> {
  /** Where other processes may have left the answer, likeliest first. */
  sharedKeys(): readonly string[];
  /** Asks the store. */
  read(): Promise<Fact | null>;
  /** Where to leave the answer for others. */
  sharedKeyOf(fact: Fact | null): string;
}

interface TiersDeps<Fact, Value extends Subject> {
  readonly clock: Clock;
  readonly freshness: Freshness;
  readonly shared: SharedCache | null;
  readonly peppers: Peppers;
  readonly limits: TierLimits;
  /** Prepares a fact for judging; pure. */
  compile(fact: Fact): Value;
  /** Wall-clock end of a fact, null for none: shared entries never outlive it. */
  endOf(fact: Fact): number | null;
}

/** Memory, shared cache and store, asked in that order; one question at a time per key. */
export interface Tiers<Fact, Value extends Subject> {
  /** The answer this process remembers, if it still counts; `at` is now, for whoever has read the clocks already. */
  peek(key: string, at?: Moment): Answer<Value> | null;
  /** Whether this process once knew the credential to be somebody's, whatever that counts for now. */
  remembers(key: string): boolean;
  /** The answer that other processes have left; null where there is none that counts. Never rejects. */
  recall(key: string, question: Question<Fact>): Promise<Filled<Value> | null>;
  /** Asks the further tiers, or with `storeOnly` the store alone. Rejects with `Fault` where none can say. */
  ask(key: string, question: Question<Fact>, storeOnly: boolean): Promise<Filled<Value>>;
}

/** An answer, and who gave it. */
export interface Filled<Value extends Subject> {
  readonly answer: Answer<Value>;
  readonly tier: Tier;
}

/** Tiers for one kind of credential; see `Tiers`. */
export function createTiers<Fact, Value extends Subject>(deps: TiersDeps<Fact, Value>): Tiers<Fact, Value> {
  const { clock, freshness, shared, peppers, limits } = deps;
  const l1 = createL1Cache<Value>(limits.l1EntriesMax);
  const flights = new Map<string, { readonly startedAt: number; readonly landing: Promise<Filled<Value>> }>();

  const counts = (answer: Answer<Value>): boolean => freshness.counts(answer.generation, answer.value);

  function toAnswer(fact: Fact | null, readAt: number, generation: number): Answer<Value> {
    const value = fact === null ? null : deps.compile(fact);
    const ttlMs = value === null ? limits.negativeMs : limits.l1Ms;
    // A whole number of milliseconds takes no memory of its own.
    return { value, readAt, generation, endsAt: Math.trunc(clock.monotonic() + ttlMs) };
  }

  async function fromShared(cache: SharedCache, question: Question<Fact>): Promise<Answer<Value> | null> {
    const { generation } = freshness;
    for (const key of question.sharedKeys()) {
      const text = await cache.get(key);
      const entry = text === null ? null : unsealEntry(peppers, key, text);
      if (entry === null) continue;
      const ageMs = clock.now() - entry.readAt;
      const ageMsMax = entry.data === null ? limits.negativeMs : limits.sharedMs;
      if (ageMs < -clockSkewMsMax || ageMs > ageMsMax) continue;
      return toAnswer(entry.data as Fact | null, entry.readAt, generation);
    }
    return null;
  }

  function share(cache: SharedCache, question: Question<Fact>, fact: Fact | null, readAt: number): void {
    const end = fact === null ? null : deps.endOf(fact);
    const ttlMs = Math.min(
      fact === null ? limits.negativeMs : limits.sharedMs,
      end === null ? Number.POSITIVE_INFINITY : end - clock.now(),
    );
    const key = question.sharedKeyOf(fact);
    if (ttlMs >= 1) void cache.set(key, sealEntry(peppers, key, { readAt, data: fact }), Math.floor(ttlMs));
  }

  async function recall(key: string, question: Question<Fact>): Promise<Filled<Value> | null> {
    if (shared === null || !freshness.isFresh() || !freshness.trustsShared()) return null;
    const answer = await fromShared(shared, question);
    if (answer === null || !counts(answer) || !freshness.isFresh()) return null;
    l1.set(key, answer);
    return { answer, tier: 'redis' };
  }

  async function fill(key: string, question: Question<Fact>, storeOnly: boolean): Promise<Filled<Value>> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      // What is read while no channel is heard could already be outdated: it is used once and not kept.
      const keeps = freshness.isFresh();
      if (shared !== null && !storeOnly && attempt === 1) {
        const recalled = await recall(key, question);
        if (recalled !== null) return recalled;
      }
      const { generation } = freshness;
      const [readAt, startedAt] = [clock.now(), clock.monotonic()];
      const fact = await question.read();
      const answer = toAnswer(fact, readAt, generation);
      // A change became known while we were reading: what we read may be from before it.
      if (!counts(answer)) continue;
      if (keeps && freshness.isFresh()) {
        l1.set(key, answer);
        if (shared !== null && clock.monotonic() - startedAt < shareWithinMs)
          share(shared, question, fact, readAt);
      }
      return { answer, tier: 'store' };
    }
    throw new Fault(
      'store_unavailable',
      'The store keeps answering with a state older than one it has announced.',
    );
  }

  return {
    peek(key, at = readClocks(clock)) {
      if (!freshness.isFresh(at)) return null;
      const answer = l1.get(key);
      if (answer === undefined || answer.endsAt <= at.monotonic || !counts(answer)) return null;
      return answer;
    },
    remembers: (key) => (l1.get(key)?.value ?? null) !== null,
    recall,
    ask(key, question, storeOnly) {
      const flightKey = storeOnly ? `store ${key}` : key;
      const now = clock.monotonic();
      const running = flights.get(flightKey);
      if (running !== undefined && now - running.startedAt < joinWithinMs) return running.landing;
      const landing = fill(key, question, storeOnly).finally(() => {
        if (flights.get(flightKey)?.landing === landing) flights.delete(flightKey);
      });
      flights.set(flightKey, { startedAt: now, landing });
      return landing;
    },
  };
}
