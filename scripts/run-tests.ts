/**
 * Runs the tests with the project's Node and prints `N passed, N failed, N skipped` as its last line.
 *   run-tests.ts [--long] [GLOB…]
 * Without GLOB: test/**\/*.test.ts, or test/long/**\/*.test.ts with --long. Exits 1 on a failure, and
 * when nothing ran.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** False also where a hook or a whole file failed, which no count shows. */
  readonly success: boolean;
}

const nothing: Counts = { passed: 0, failed: 0, skipped: 0, success: true };

const fileTimeoutMs = 900_000;
/** One of the long tests runs for half an hour, or for as long as it is told. */
const longFileTimeoutMs = 4 * 3_600_000;

function testFiles(): readonly string[] {
  const { values, positionals } = parseArgs({
    options: { long: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (positionals.length > 0) return globSync(positionals).toSorted();
  if (values.long) return globSync('test/long/**/*.test.ts').toSorted();
  return globSync('test/**/*.test.ts', { exclude: ['test/long/**'] }).toSorted();
}

async function runTests(files: readonly string[]): Promise<Counts> {
  let counts = nothing;
  const isLong = files.some((file) => file.startsWith('test/long/'));
  const events = run({ files, concurrency: 2, timeout: isLong ? longFileTimeoutMs : fileTimeoutMs });
  events.on('test:summary', (summary) => {
    // One summary comes for each file, and at last one for all of them, which names no file.
    if (summary.file !== undefined) return;
    const { tests, passed, skipped, todo } = summary.counts;
    counts = {
      passed,
      failed: tests - passed - skipped - todo,
      skipped: skipped + todo,
      success: summary.success,
    };
  });
  const output = new Writable({
    write(chunk: Buffer, _encoding, done): void {
      process.stdout.write(chunk, done);
    },
  });
  await pipeline(events, new spec(), output);
  return counts;
}

// Tests start the product hundreds of times: compiled once, it starts in half the CPU time.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../node_modules/.cache/compiled');

const files = testFiles();
const { passed, failed, skipped, success } = files.length === 0 ? nothing : await runTests(files);
const ranNone = passed + failed === 0;
if (ranNone) console.error('No test ran: no file matches, or all were skipped.');
if (failed > 0 || ranNone || !success) process.exitCode = 1;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
