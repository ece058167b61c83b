/** Instruments modules as Node loads them. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Coverage } from './coverage.ts';
import { globalName, instrument } from './instrument.ts';

/** A module with counters. */
export interface CountedModule {
  /** Relative to src/ where it is ours, such as `core/path.ts`. */
  readonly path: string;
  /** Number of its first counter. */
  readonly first: number;
  /** The line of each counter. */
  readonly lines: readonly number[];
}

/** What has been loaded with counters. */
export interface CountedModules {
  readonly modules: readonly CountedModule[];
  /** How many counters there are. */
  readonly counters: number;
  /** Texts that the loaded sources of the project compare with. */
  readonly words: readonly string[];
}

const source = join(import.meta.dirname, '../../../src/');

/** The parsers that the product hands input to. */
const parsers = /\/node_modules\/(?:saxes|yaml\/dist)\/.*\.js$/;

/** From now on what this thread loads of the product and its parsers writes to these counters. */
export function countModules(coverage: Coverage): CountedModules {
  Object.assign(globalThis, { [globalName]: coverage });
  const modules: CountedModule[] = [];
  const words = new Set<string>();
  let counters = 0;
  registerHooks({
    load(url, context, nextLoad) {
      const file = url.startsWith('file:') ? fileURLToPath(url) : '';
      const isOurs = file.startsWith(source);
      if (!isOurs && !parsers.test(file)) return nextLoad(url, context);
      const made = instrument(file, readFileSync(file, 'utf8'), counters);
      modules.push({ path: isOurs ? file.slice(source.length) : file, first: counters, lines: made.lines });
      counters += made.lines.length;
      if (isOurs) for (const word of made.words) words.add(word);
      const format = isOurs ? 'module-typescript' : (context.format ?? 'commonjs');
      return { format, source: made.code, shortCircuit: true };
    },
  });
  return {
    modules,
    get counters() {
      return counters;
    },
    get words() {
      return [...words];
    },
  };
}
