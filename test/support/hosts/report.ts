/** What a run came to, as text for people. */
import type { Verdict } from './checker.ts';
import type { HistoryEvent } from './history.ts';

/** What is said of a run beside its counts. */
export interface RunFacts {
  readonly seed: number;
  readonly lengthMs: number;
}

/** Tables in Markdown: operations, faults, and what the checker found. */
export function reportRun(history: readonly HistoryEvent[], verdict: Verdict, facts: RunFacts): string {
  const tokens = new Set(history.flatMap((event) => (event.kind === 'change' ? [event.token] : [])));
  return [
    `Seed ${facts.seed}, ${(facts.lengthMs / 60_000).toFixed(1)} minutes, ${tokens.size} tokens.`,
    table(['operation', 'count'], operationCounts(history)),
    table(['fault', 'count'], faultCounts(history)),
    table(['found', 'count'], found(verdict)),
  ].join('\n\n');
}

type Row = readonly [string, string];

function operationCounts(history: readonly HistoryEvent[]): readonly Row[] {
  return tally(
    history.flatMap((event) => {
      if (event.kind === 'use') return [`use: ${event.outcome}`];
      if (event.kind === 'change') return [`change: ${event.what}`];
      if (event.kind === 'call') return [`${event.by === 'api' ? 'API call' : 'command'}: ${event.outcome}`];
      return event.kind === 'seen' ? ['state read and compared'] : [];
    }),
  );
}

function faultCounts(history: readonly HistoryEvent[]): readonly Row[] {
  return tally(
    history.flatMap((event) => (event.kind === 'fault' ? [`${event.what}: ${event.target}`] : [])),
  );
}

function found({ violations, uncaused, caused, latest }: Verdict): readonly Row[] {
  const of = (rule: string): string => String(violations.filter((each) => each.rule === rule).length);
  return [
    ['allowed later than 5 s after the change had returned', of('allowed too late')],
    ['valid token refused', of('refused a valid token')],
    ['confirmed change lost', of('change lost')],
    ['change never confirmed', of('change never confirmed')],
    ['5xx or no answer within a fault or 5 s behind it', String(caused)],
    ['5xx or no answer without a fault', String(uncaused.length)],
    ['last use allowed after a change, with a fault', `${Math.round(latest.faultyMs)} ms`],
    ['last use allowed after a change, without one', `${Math.round(latest.calmMs)} ms`],
  ];
}

function tally(names: readonly string[]): readonly Row[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([name, count]) => [name, String(count)]);
}

function table(head: Row, rows: readonly Row[]): string {
  const line = ([name, count]: Row): string => `| ${name} | ${count} |`;
  return [line(head), '|---|---:|', ...rows.map(line)].join('\n');
}
