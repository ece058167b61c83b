/** Knows what instrumented code did during one run, and which of it was new. */

/** More counters than all instrumented sources have together. */
const countersMax = 65_536;
const pairsMax = 64;
const pairLengthMax = 64;

/** Two texts that were compared and found different. */
export interface ComparedPair {
  readonly left: string;
  readonly right: string;
}

/** What one run reached: counter numbers, each with how often in one of eight buckets. */
export type Feature = number;

/** The counters that instrumented code writes to. */
export interface Coverage {
  readonly counters: Uint8Array;
  /** Stands for `===` in instrumented code, which calls it alone: it must not need `this`. */
  readonly equal: (left: unknown, right: unknown) => boolean;
  /** After loading: what ran then counts as reached, but not as something that an input did. */
  noteLoaded(): void;
  /** Before each run. `used` is how many counters exist by now. */
  reset(used: number): void;
  /** The features of the run since `reset` that no run had before; from now on they are known. */
  takeNew(): readonly Feature[];
  /** All features of the run since `reset`. */
  features(): readonly Feature[];
  /** How many different features all runs had together. */
  readonly featureCount: number;
  /** Whether loading or any run reached this counter. */
  isReached(counter: number): boolean;
  /** Texts compared in recent runs. */
  readonly pairs: readonly ComparedPair[];
}

/** Starts with nothing reached. */
export function createCoverage(): Coverage {
  const counters = new Uint8Array(countersMax);
  const inEights = new BigUint64Array(counters.buffer);
  const known = new Uint8Array(countersMax);
  const loaded = new Uint8Array(countersMax);
  const pairs: ComparedPair[] = [];
  let used = 0;
  let featureCount = 0;
  let nextPair = 0;
  const notePair = (left: string, right: string): void => {
    if (left.length > pairLengthMax || right.length > pairLengthMax) return;
    pairs[nextPair] = { left, right };
    nextPair = (nextPair + 1) % pairsMax;
  };
  const walk = (found: (counter: number, bucket: number) => void): void => {
    const words = Math.ceil(used / 8);
    for (let word = 0; word < words; word++) {
      if (inEights[word] === 0n) continue;
      for (let counter = word * 8; counter < word * 8 + 8; counter++) {
        const hits = counters[counter] as number;
        if (hits > 0) found(counter, bucketOf[hits] as number);
      }
    }
  };
  return {
    counters,
    pairs,
    get featureCount() {
      return featureCount;
    },
    equal: (left, right) => {
      if (left === right) return true;
      if (typeof left === 'string' && typeof right === 'string') notePair(left, right);
      return false;
    },
    noteLoaded: () => loaded.set(counters),
    reset(count) {
      used = count;
      counters.fill(0, 0, used);
    },
    takeNew() {
      const fresh: Feature[] = [];
      walk((counter, bucket) => {
        if (((known[counter] as number) & (1 << bucket)) !== 0) return;
        known[counter] = (known[counter] as number) | (1 << bucket);
        fresh.push(counter * 8 + bucket);
      });
      featureCount += fresh.length;
      return fresh;
    },
    features() {
      const all: Feature[] = [];
      walk((counter, bucket) => all.push(counter * 8 + bucket));
      return all;
    },
    isReached: (counter) => known[counter] !== 0 || loaded[counter] !== 0,
  };
}

/** 1, 2, 3, 4–7, 8–15, 16–31, 32–127 and more are told apart: how often a loop runs matters, not exactly. */
const bucketOf = Uint8Array.from({ length: 256 }, (_, hits) => {
  const bounds = [2, 3, 4, 8, 16, 32, 128];
  const bucket = bounds.findIndex((bound) => hits < bound);
  return bucket === -1 ? 7 : bucket;
});
