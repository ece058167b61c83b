/** The loop: choose, change, run, keep what reaches something new. */
import { type Corpus, createCorpus, type Inputs, nameOf } from './corpus.ts';
import type { CountedModules } from './counted-modules.ts';
import type { Coverage } from './coverage.ts';
import { type Finding, keyOf, shrink } from './finding.ts';
import { type Dice, mutate, stretch } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

/** What a session works with. */
export interface SessionDeps {
  readonly target: FuzzTarget;
  readonly coverage: Coverage;
  readonly modules: CountedModules;
  readonly seeds: Inputs;
  readonly dice: Dice;
  /** The input is about to run: whoever watches can save it, should it never return. */
  announce(input: Buffer): void;
  found(finding: Finding): void;
  tell(progress: Progress): void;
}

/** How far a session has come. */
export interface Progress {
  readonly runs: number;
  readonly elapsedMs: number;
  /** Inputs known at the start, and now. */
  readonly seeds: number;
  readonly corpus: number;
  readonly features: number;
  /** Blocks of the code that the target is about: reached, and in all. */
  readonly reached: number;
  readonly blocks: number;
  /** The longest that one input took, CPU time. */
  readonly slowestMs: number;
}

/** An input that takes longer than this is a way to stop the gateway. */
const cpuMsMax = 100;
const tellEveryMs = 10_000;
const findingsMax = 20;
const bytesMaxDefault = 2_048;
/** Just below what a request head may have: longer ones are refused unread. */
const stretchedBytesDefault = 15_000;

/** Fuzzes for `durationMs`; ends early after 20 different findings. Resolves to the inputs worth keeping. */
export async function fuzzFor(durationMs: number, deps: SessionDeps): Promise<Corpus> {
  const { target, coverage, modules, dice, seeds } = deps;
  const corpus = createCorpus();
  const keys = new Set<string>();
  const startedMs = performance.now();
  let runs = 0;
  let slowestMs = 0;
  const bytesMax = target.bytesMax ?? bytesMaxDefault;

  const attempt = async (input: Buffer): Promise<Error | null> => {
    runs += 1;
    deps.announce(input);
    coverage.reset(modules.counters);
    try {
      const pending = target.fuzz(input);
      if (pending instanceof Promise) await pending;
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(`threw ${String(error)}`);
    }
  };
  const timed = async (input: Buffer): Promise<Error | null> => {
    const before = process.threadCpuUsage();
    const error = await attempt(input);
    const tookMs = cpuMsSince(before);
    if (error !== null || tookMs <= Math.min(Math.max(1, slowestMs), cpuMsMax)) return error;
    // Compiling or collecting garbage may have come between: only what takes long each time is slow.
    const again = process.threadCpuUsage();
    await attempt(input);
    const eachTimeMs = Math.min(tookMs, cpuMsSince(again));
    slowestMs = Math.max(slowestMs, eachTimeMs);
    return eachTimeMs > cpuMsMax ? new Error(`slow: more than ${cpuMsMax} ms of CPU time`) : null;
  };
  const judge = async (input: Buffer, name: string | null): Promise<void> => {
    const error = await timed(input);
    if (error !== null) {
      const key = keyOf(error);
      if (keys.has(key)) return;
      keys.add(key);
      const small = await shrink(Buffer.from(input), key, timed);
      const last = (await timed(small)) ?? error;
      deps.found({ key, message: last.stack ?? last.message, input: small });
    } else if (input.length <= bytesMax && coverage.takeNew().length > 0) {
      const kept = Buffer.from(input);
      corpus.add({ name: name ?? nameOf(kept), input: kept, features: coverage.features() });
    }
  };
  const tell = (): void =>
    deps.tell({
      runs,
      elapsedMs: performance.now() - startedMs,
      seeds: seeds.size,
      corpus: corpus.entries.length,
      features: coverage.featureCount,
      ...reachedBlocks(target, modules, coverage),
      slowestMs,
    });

  for (const [name, input] of seeds) await judge(input, name);
  if (corpus.entries.length === 0)
    throw new Error('no seed runs: the corpus is empty, or nothing is instrumented');
  const words = [...modules.words, ...(target.words ?? [])].map((word) => Buffer.from(word));
  const written = [...seeds].filter(([name]) => !name.startsWith('found-')).map(([, input]) => input);
  const other = (): Buffer => corpus.choose(dice).input;
  const ingredients = { dice, words, pairs: coverage.pairs, other, bytesMax };
  let toldMs = performance.now();
  while (performance.now() - startedMs < durationMs && keys.size < findingsMax) {
    const parent = corpus.choose(dice).input;
    for (let child = 0; child < 16; child++) {
      await judge(mutate(parent, ingredients), null);
    }
    // Written by hand, seeds go deepest for their length.
    const short = dice(2) === 0 ? parent : (written[dice(written.length)] as Buffer);
    await judge(stretch(short, ingredients, target.stretchedBytes ?? stretchedBytesDefault), null);
    if (performance.now() - toldMs < tellEveryMs) continue;
    toldMs = performance.now();
    tell();
  }
  tell();
  return corpus;
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

function reachedBlocks(
  target: FuzzTarget,
  { modules }: CountedModules,
  coverage: Coverage,
): { readonly reached: number; readonly blocks: number } {
  let reached = 0;
  let blocks = 0;
  for (const { path, first, lines } of modules) {
    if (!target.subjects.includes(path)) continue;
    blocks += lines.length;
    for (let counter = first; counter < first + lines.length; counter++) {
      if (coverage.isReached(counter)) reached += 1;
    }
  }
  return { reached, blocks };
}
