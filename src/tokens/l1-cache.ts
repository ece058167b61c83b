import { LRUCache } from 'lru-cache';
import type { Subject } from './freshness.ts';

/** An answer as this process keeps it. */
export interface Answer<Value extends Subject> {
  /** Null: nobody has this credential. */
  readonly value: Value | null;
  /** Wall clock when reading it from the store began. */
  readonly readAt: number;
  /** `Freshness.generation` when reading it began. */
  readonly generation: number;
  /** Monotonic moment from which this copy no longer counts. */
  readonly endsAt: number;
}

/** The first tier: this process's memory, bounded by entries. */
export interface L1Cache<Value extends Subject> {
  get(key: string): Answer<Value> | undefined;
  set(key: string, answer: Answer<Value>): void;
}

/**
 * Keeps `entriesMax` answers about somebody and a tenth of that about nobody, so that guesses can never
 * push out those who are known. Time limits are for the reader to check.
 */
export function createL1Cache<Value extends Subject>(entriesMax: number): L1Cache<Value> {
  const known = new LRUCache<string, Answer<Value>>({ max: entriesMax });
  const unknown = new LRUCache<string, Answer<Value>>({ max: Math.ceil(entriesMax / 10) });
  return {
    get: (key) => known.get(key) ?? unknown.get(key),
    set(key, answer) {
      const [into, other] = answer.value === null ? [unknown, known] : [known, unknown];
      other.delete(key);
      into.set(key, answer);
    },
  };
}
