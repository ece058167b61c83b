/** The inputs worth keeping. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Feature } from './coverage.ts';
import type { Dice } from './mutate.ts';

/** One input and what it reached. */
export interface Entry {
  readonly name: string;
  readonly input: Buffer;
  readonly features: readonly Feature[];
}

/** Inputs by name, as a folder holds them. */
export type Inputs = ReadonlyMap<string, Buffer>;

/** The inputs of a folder; none where there is no folder. */
export function readInputs(folder: string): Inputs {
  const names = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

/** A name that says nothing but is the same for the same input. */
export function nameOf(input: Buffer): string {
  return `found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`;
}

/** Makes the folder hold these entries and no others that were found before. */
export function writeFound(folder: string, entries: readonly Entry[]): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (name.startsWith('found-')) rmSync(join(folder, name));
  for (const { name, input } of entries) {
    if (name.startsWith('found-')) writeFileSync(join(folder, name), input);
  }
}

/** The entries known so far, and which of them to try next. */
export interface Corpus {
  readonly entries: readonly Entry[];
  add(entry: Entry): void;
  /** One to mutate: half of the time one that is the shortest way to something, else a new one or any. */
  choose(dice: Dice): Entry;
  /**
   * A small set of entries that has every feature, mostly the shortest for each. `coarse` may take features for one, or
   * leave them out by saying null.
   */
  minimal(coarse?: (feature: Feature) => Feature | null): readonly Entry[];
}

/** Starts empty. */
export function createCorpus(): Corpus {
  const entries: Entry[] = [];
  const shortest = new Map<Feature, Entry>();
  let favoured: readonly Entry[] = [];
  let stale = true;
  return {
    entries,
    add(entry) {
      entries.push(entry);
      for (const feature of entry.features) {
        const known = shortest.get(feature);
        if (known === undefined || entry.input.length < known.input.length) shortest.set(feature, entry);
      }
      stale = true;
    },
    choose(dice) {
      if (stale) favoured = cover(shortest, (feature) => feature);
      stale = false;
      const way = dice(4);
      if (way < 2) return favoured[dice(favoured.length)] as Entry;
      const newest = way === 2 ? Math.min(entries.length, 16) : entries.length;
      return entries[entries.length - 1 - dice(newest)] as Entry;
    },
    minimal: (coarse = (feature) => feature) => cover(shortest, coarse),
  };
}

/** A small set that has every feature: those first that are the only way to one. */
function cover(
  shortest: ReadonlyMap<Feature, Entry>,
  coarse: (feature: Feature) => Feature | null,
): readonly Entry[] {
  const missing = new Set([...shortest.keys()].map(coarse));
  missing.delete(null);
  const candidates = [...new Set(shortest.values())].toSorted((a, b) => rank(b) - rank(a));
  const chosen: Entry[] = [];
  for (const entry of candidates) {
    const before = missing.size;
    for (const feature of entry.features) missing.delete(coarse(feature));
    if (missing.size < before) chosen.push(entry);
  }
  return chosen;
}

/** Seeds first, then what reaches much with little. */
function rank({ name, input, features }: Entry): number {
  return (name.startsWith('found-') ? 0 : 1e9) + features.length / Math.log2(input.length + 4);
}
