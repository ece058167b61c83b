/** One session in a thread of its own: told what to do by `workerData`, tells what happens by messages. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Entry, readInputs, writeFound } from './corpus.ts';
import { type CountedModule, countModules } from './counted-modules.ts';
import { createCoverage } from './coverage.ts';
import type { Finding } from './finding.ts';
import type { Dice } from './mutate.ts';
import { fuzzFor, type Progress } from './session.ts';
import type { FuzzTarget } from './target.ts';

/** What the thread is given. */
export interface Assignment {
  readonly target: string;
  readonly durationMs: number;
  /** The committed inputs; rewritten only where `keep`. */
  readonly corpus: string;
  /** Where what was found goes, and is read again by the next session. */
  readonly grown: string;
  /** True: what is worth committing is added to `corpus`. */
  readonly keep: boolean;
  /** Runs and length of the input at work, then the input itself. */
  readonly atWork: SharedArrayBuffer;
}

/** What the thread says. */
export type Message =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'end'; readonly kept: number; readonly unreached: readonly string[] };

const job = workerData as Assignment;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
const say = (message: Message): void => parentPort?.postMessage(message);
const state = new Int32Array(job.atWork, 0, 2);
const bytes = new Uint8Array(job.atWork, 8);

const coverage = createCoverage();
const modules = countModules(coverage);
const target = (await import(`../${job.target}.ts`)) as FuzzTarget;
coverage.noteLoaded();

const corpus = await fuzzFor(job.durationMs, {
  target,
  coverage,
  modules,
  seeds: new Map([...readInputs(job.corpus), ...readInputs(job.grown)]),
  dice: createDice(),
  announce(input) {
    bytes.set(input);
    state[1] = input.length;
    Atomics.add(state, 0, 1);
  },
  found: (finding) => say({ kind: 'finding', finding }),
  tell: (progress) => say({ kind: 'progress', progress }),
});
writeFound(job.grown, corpus.minimal());
// Worth committing is what runs a block of the code that the target is about; how often is of no matter.
const subjects = modules.modules.filter(({ path }) => target.subjects.includes(path));
const blocks = new Set(subjects.flatMap(({ first, lines }) => lines.map((_line, at) => first + at)));
const worthKeeping: readonly Entry[] = corpus.minimal((feature) => {
  const block = Math.floor(feature / 8);
  return blocks.has(block) ? block : null;
});
if (job.keep) writeFound(job.corpus, worthKeeping);
say({ kind: 'end', kept: worthKeeping.length, unreached: subjects.flatMap(unreachedOf) });

/** The lines of which some part was never reached. */
function unreachedOf({ path, first, lines }: CountedModule): readonly string[] {
  const missed = lines.filter((_line, at) => !coverage.isReached(first + at));
  return missed.length === 0 ? [] : [`${path}:${[...new Set(missed)].join(',')}`];
}

/** Marsaglia's xorshift, seeded by chance: quick, and no cryptography depends on it. */
function createDice(): Dice {
  let state = Math.floor(Math.random() * 0xfffffffe) + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
