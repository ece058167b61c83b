/** One run against the promise: start everything, use it, break it, check what happened. */
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { check, type Verdict } from './checker.ts';
import { drive, type DriverOptions } from './driver.ts';
import type { HistoryEvent } from './history.ts';
import { reportRun } from './report.ts';
import { startThreeHosts } from './three-hosts.ts';

/** How long, how hard, and which choices. */
export interface RunOptions extends DriverOptions {
  /** Tokens in use at the same time. */
  readonly lives: number;
}

/** What it came to. */
export interface RunOutcome {
  readonly history: readonly HistoryEvent[];
  readonly verdict: Verdict;
  /** For people. */
  readonly report: string;
  /** What each process has written, by its name. */
  readonly outputs: ReadonlyMap<string, string>;
}

const bounds = { promisedMs: 5_000, recoveryMs: 5_000 };
/** A busy machine may leave so many of all operations without an answer in time; every one is told. */
const uncausedShareMax = 0.001;

/** Runs it; rejects where the run itself fails, never for what the checker finds. */
export async function runPromise(options: RunOptions): Promise<RunOutcome> {
  const hosts = await startThreeHosts(options);
  const outputs = (): ReadonlyMap<string, string> =>
    new Map(hosts.processes.map((each) => [each.name, each.output()]));
  try {
    const faults = await Promise.race([drive(hosts, options), hosts.clients.failed]);
    await hosts.clients.end();
    const history: HistoryEvent[] = [...faults];
    for await (const line of createInterface({ input: createReadStream(hosts.historyFile) }))
      history.push(JSON.parse(line) as HistoryEvent);
    history.push(...(await hosts.store.look(history)));
    const verdict = check(history, bounds);
    const facts = { seed: options.seed, lengthMs: options.forMs };
    return { history, verdict, report: reportRun(history, verdict, facts), outputs: outputs() };
  } catch (error) {
    const tails = [...outputs()].map(([name, text]) => `--- ${name}\n${text.slice(-4_000)}`);
    throw new Error(`the run failed:\n${tails.join('\n')}`, { cause: error });
  } finally {
    await hosts.stop();
  }
}

/** Fails, with what was found, where a run broke the promise, or failed too often with nothing to blame. */
export function assertPromise({ history, verdict, report }: RunOutcome): void {
  const { violations, uncaused } = verdict;
  const stories = violations.slice(0, 10).map(({ rule, story }) => `${rule}: ${story}`);
  assert.equal(violations.length, 0, [...stories, report].join('\n'));
  const allowed = history.filter((event) => event.kind === 'use' && event.outcome === 'allowed');
  assert.ok(allowed.length > 100, `tokens were used\n${report}`);
  const share = uncaused.length / history.length;
  assert.ok(share <= uncausedShareMax, JSON.stringify(uncaused.slice(0, 20), null, 1));
}
