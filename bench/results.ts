import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** From here on the page is written by hand and kept. */
const byHand = '## What the profile says';

/** The page that RESULTS.md is: method, machine and table, then what `former` says by hand. */
export function describeRun(table: string, rounds: number, former: string): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const kept = former.includes(byHand) ? `\n${former.slice(former.indexOf(byHand))}` : '';
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `# Results

The last table of \`npm run bench -- --write\`.

- Commit ${commit}, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}
- ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${gibibytes} GiB, Linux ${release()}
- Load average while it ran: ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')} (the load itself is about 2)
- ${rounds} rounds

## How it is measured

The figure is CPU time: user and system time of the process (or processes) in question from \`/proc/PID\`, divided by the
answers that came. The process is pinned to one core; backend and load (autocannon) run on the other. Peers warm up with
40,000 requests, then take turns in rounds of two seconds, so that all of them meet the same disturbances; a sample is 100 ms (for
large transfers a round). Other work on the machine only ever adds to a sample: what repeats is the tenth percentile, and
the budgets are held against that ("least"); the median stands beside it.

${table}
${kept}`;
}
