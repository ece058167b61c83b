/**
 * Fuzzes what reads hostile input, guided by what each input reaches in the code.
 *   fuzz.ts [TARGET…] [--seconds N] [--keep]
 * Without TARGET every file of test/fuzz/ in turn, 60 seconds each. What is found lies in .tmp/fuzz/TARGET/;
 * with --keep, inputs that reach further than the committed ones are added to test/fuzz/corpus/TARGET/.
 * Exits 1 where a promise was broken.
 */
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { nameOf } from '../test/fuzz/engine/corpus.ts';
import type { Progress } from '../test/fuzz/engine/session.ts';
import type { Assignment, Message } from '../test/fuzz/engine/worker.ts';

const root = join(import.meta.dirname, '..');
const inputBytesMax = 1 << 20;
const heapMegabytesMax = 512;
/** One input that runs for this long never returns. */
const hangMs = 30_000;

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, keep: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const known = globSync('test/fuzz/*.ts', { cwd: root })
  .map((file) => basename(file, '.ts'))
  .filter((name) => !name.endsWith('.test'))
  .toSorted();
const seconds = Number(values.seconds);
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0 || !(seconds > 0)) {
  console.error(`fuzz [TARGET…] [--seconds N] [--keep]; targets: ${known.join(' ')}`);
  process.exit(2);
}
for (const target of positionals.length === 0 ? known : positionals) await fuzz(target);

async function fuzz(target: string): Promise<void> {
  const folder = join(root, '.tmp/fuzz', target);
  const findings = join(folder, 'findings');
  const atWork = new SharedArrayBuffer(8 + inputBytesMax);
  const assignment: Assignment = {
    target,
    durationMs: seconds * 1_000,
    corpus: join(root, 'test/fuzz/corpus', target),
    grown: join(folder, 'corpus'),
    keep: values.keep,
    atWork,
  };
  const save = (what: string, input: Uint8Array): void => {
    mkdirSync(findings, { recursive: true });
    const file = join(findings, nameOf(Buffer.from(input)));
    writeFileSync(file, input);
    console.log(
      `${target}: FOUND ${what}\n  input: ${file}\n  ${JSON.stringify(Buffer.from(input).toString('latin1')).slice(0, 400)}`,
    );
    process.exitCode = 1;
  };
  const inputAtWork = (): Uint8Array => new Uint8Array(atWork).slice(8, 8 + (new Int32Array(atWork)[1] ?? 0));
  const worker = new Worker(join(root, 'test/fuzz/engine/worker.ts'), {
    workerData: assignment,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
  });
  const before = process.cpuUsage();
  let runsSeen = -1;
  const watch = setInterval(() => {
    const runs = new Int32Array(atWork)[0] ?? 0;
    if (runs > 0 && runs === runsSeen) {
      save(`an input that runs for more than ${hangMs / 1_000} s`, inputAtWork());
      void worker.terminate();
    }
    runsSeen = runs;
  }, hangMs);
  worker.on('message', (message: Message) => {
    if (message.kind === 'progress') console.log(`${target}: ${describe(message.progress, before)}`);
    else if (message.kind === 'finding') save(message.finding.message, message.finding.input);
    else
      console.log(
        `${target}: worth committing ${message.kept}; not reached: ${message.unreached.join('; ') || 'nothing'}`,
      );
  });
  await new Promise<void>((resolve) => {
    worker.once('error', (error) => save(`the end of the thread: ${String(error)}`, inputAtWork()));
    worker.once('exit', () => resolve());
  });
  clearInterval(watch);
}

function describe(progress: Progress, before: NodeJS.CpuUsage): string {
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  return [
    `${(progress.elapsedMs / 1_000).toFixed(0)} s`,
    `${cpuSeconds.toFixed(0)} s CPU`,
    `${progress.runs.toLocaleString('en')} runs`,
    `corpus ${progress.seeds} → ${progress.corpus}`,
    `${progress.features} features`,
    `${progress.reached} of ${progress.blocks} blocks`,
    `slowest ${progress.slowestMs.toFixed(0)} ms`,
  ].join(', ');
}
