import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseSync } from 'oxc-parser';
import { makeScratch } from '../../support/scratch.ts';
import { createCorpus, type Entry } from './corpus.ts';
import { type Coverage, createCoverage } from './coverage.ts';
import { keyOf, shrink } from './finding.ts';
import { globalName, instrument } from './instrument.ts';
import { type Dice, mutate, stretch } from './mutate.ts';

const root = join(import.meta.dirname, '../../..');

/** The functions of a module that was instrumented, and what it writes to. */
async function load(source: string): Promise<{
  readonly coverage: Coverage;
  readonly lines: readonly number[];
  readonly words: readonly string[];
  readonly run: (input: unknown) => unknown;
}> {
  const coverage = createCoverage();
  const { code, lines, words } = instrument('a.ts', source, 0);
  const scratch = await makeScratch('instrumented');
  try {
    await writeFile(scratch.file('a.ts'), code);
    Object.assign(globalThis, { [globalName]: coverage });
    const { run } = (await import(scratch.file('a.ts'))) as { readonly run: (input: unknown) => unknown };
    return { coverage, lines, words, run };
  } finally {
    await scratch.remove();
  }
}

/** The same throws each time. */
function countingDice(): Dice {
  let state = 1;
  return (below) => {
    state = (state * 48_271) % 0x7fffffff;
    return state % below;
  };
}

describe('instrumented code', () => {
  const source = `
export function run(n: number): string {
  if (n > 2) return 'big' as string;
  else if (n === 2)
    return n as number !== 2 ? 'odd' : 'two';
  for (const x of [1]) if (x === n) do n += 1; while (n < 1)
  switch (n) {
    case 0:
    case 7: return (n === 0 && 'nought') || 'seven';
    default: try { throw new Error(); } catch { return ((): string => 'rest')(); }
  }
}`;

  test('does what it did before, and counts each way through it on its line', async () => {
    const { run, coverage, lines } = await load(source);
    coverage.reset(lines.length);
    assert.deepEqual([3, 2, 0, -1].map(run), ['big', 'two', 'nought', 'rest']);
    const reached = lines.filter((_line, at) => (coverage.counters[at] ?? 0) > 0);
    assert.deepEqual(
      [...new Set(reached)].toSorted((a, b) => a - b),
      [2, 3, 4, 5, 6, 9, 10],
    );
    assert.ok(reached.length < lines.length, 'what did not run was not counted');
  });

  test('tells which texts it compared, and which it holds', async () => {
    const { run, coverage, words } = await load(
      `const key = 'se' + 'cret'; export const run = (text: string): boolean => text === key;`,
    );
    assert.equal(run('guess'), false);
    assert.equal(run('secret'), true);
    assert.deepEqual(coverage.pairs, [{ left: 'guess', right: 'secret' }]);
    assert.deepEqual(words.toSorted(), ['cret', 'se']);
  });

  test('is every source of the product that reads input, line for line', () => {
    const files = globSync('src/{core,config,gateway,server}/**/*.ts', { cwd: root });
    assert.ok(files.length > 50);
    for (const file of files) {
      const text = readFileSync(join(root, file), 'utf8');
      const { code } = instrument(file, text, 0);
      assert.deepEqual(parseSync(file, code).errors, [], file);
      assert.equal(code.split('\n').length, text.split('\n').length, file);
    }
  });
});

describe('coverage', () => {
  test('is new where a counter, or how often it was hit, is new', () => {
    const coverage = createCoverage();
    const run = (...hits: readonly number[]): number => {
      coverage.reset(16);
      for (const [counter, times] of hits.entries()) coverage.counters[counter] = times;
      return coverage.takeNew().length;
    };
    assert.deepEqual([run(1, 1), run(1, 1), run(2, 1), run(9, 0, 1), run(15, 1), run()], [2, 0, 1, 2, 0, 0]);
    assert.deepEqual([coverage.isReached(2), coverage.isReached(3)], [true, false]);
  });
});

describe('the corpus', () => {
  const entry = (name: string, length: number, ...features: readonly number[]): Entry => ({
    name,
    input: Buffer.alloc(length),
    features,
  });

  test('is as small as all its features allow, seeds before what was found', () => {
    const corpus = createCorpus();
    for (const one of [entry('found-a', 9, 1), entry('found-b', 2, 1, 2), entry('seed', 90, 3)])
      corpus.add(one);
    assert.deepEqual(
      corpus.minimal().map(({ name }) => name),
      ['seed', 'found-b'],
    );
    assert.deepEqual(
      corpus.minimal((feature) => (feature === 3 ? feature : null)).map(({ name }) => name),
      ['seed'],
    );
  });
});

describe('mutations', () => {
  test('stay within the longest input, whatever they start from', () => {
    const dice = countingDice();
    const seeds = ['', 'a', '%2', 'GET /a HTTP/1.1\r\n\r\n', 'x'.repeat(64)].map((text) => Buffer.from(text));
    const other = (): Buffer => seeds[dice(seeds.length)] as Buffer;
    const pairs = [{ left: 'a', right: 'longer' }];
    const ingredients = { dice, words: [Buffer.from('word')], pairs, other, bytesMax: 64 };
    const made = new Set<string>();
    for (let round = 0; round < 2_000; round++) {
      const mutant = mutate(other(), ingredients);
      assert.ok(mutant.length <= 64);
      made.add(mutant.toString('latin1'));
      assert.ok(stretch(other(), ingredients, 256).length <= 256);
    }
    assert.ok(made.size > 500, `only ${made.size} different ones`);
  });
});

describe('a finding', () => {
  test('is made as small as the same failure allows', async () => {
    const failed = (word: string): Error => new Error(`bad ${word}`);
    const trial = (input: Buffer): Promise<Error | null> =>
      Promise.resolve(input.includes('bug') ? failed('kind') : input.includes('b') ? failed('other') : null);
    const small = await shrink(Buffer.from('some text with a bug in it'), keyOf(failed('kind')), trial);
    assert.equal(small.toString(), 'bug');
  });

  test('is the same as another where only numbers and quoted input differ', () => {
    const error = (message: string): Error => Object.assign(new Error(message), { stack: '' });
    assert.equal(keyOf(error(`3 of 'a'`)), keyOf(error(`12 of 'b c'`)));
    assert.notEqual(keyOf(error('one')), keyOf(error('other')));
  });
});
