/*
 * `npm run bench [-- --only NAME --rounds N --write]`: measures the product and what else one could use in the
 * same run, prints a table, and with --write keeps it in RESULTS.md. The method is described there.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { readOptions } from './options.ts';
import { loadCore, pinSelf } from './pinned.ts';
import { describeRun } from './results.ts';
import { coldVerification } from './scenarios/cold-verification.ts';
import { decisionCost } from './scenarios/decision-cost.ts';
import { doors } from './scenarios/doors.ts';
import { memory } from './scenarios/memory.ts';
import { refusals } from './scenarios/refusals.ts';
import { selfService } from './scenarios/self-service.ts';
import { smallGet } from './scenarios/small-get.ts';
import { transfer } from './scenarios/transfer.ts';
import { workers } from './scenarios/workers.ts';
import { type Row, toMarkdown } from './table.ts';

const scenarios: Readonly<Record<string, (rounds: number) => Promise<readonly Row[]>>> = {
  'small-get': smallGet,
  transfer,
  decision: decisionCost,
  doors,
  cold: coldVerification,
  memory,
  refusals,
  'self-service': selfService,
  workers,
};

const options = readOptions(process.argv.slice(2), Object.keys(scenarios));
pinSelf(loadCore);
const rows: Row[] = [];
for (const [name, measure] of Object.entries(scenarios)) {
  if (options.only.length > 0 && !options.only.includes(name)) continue;
  console.error(`bench: ${name} …`);
  rows.push(...(await measure(options.rounds)));
}
const table = toMarkdown(rows);
console.log(table);
if (options.write) {
  const page = new URL('RESULTS.md', import.meta.url);
  await writeFile(page, describeRun(table, options.rounds, await readFile(page, 'utf8')));
}
