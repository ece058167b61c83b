import { parseArgs } from 'node:util';

/** What the bench was asked to do. */
export interface BenchOptions {
  /** Scenarios by name; empty: all. */
  readonly only: readonly string[];
  /** Rounds of each comparison. Default 5. */
  readonly rounds: number;
  /** Whether to keep the table in RESULTS.md. */
  readonly write: boolean;
}

/** Reads the command line; throws where a scenario is unknown or a number is none. */
export function readOptions(args: readonly string[], names: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '5' },
      write: { type: 'boolean', default: false },
    },
  });
  const unknown = values.only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`--only ${unknown}: there is no such scenario; there are ${names.join(', ')}`);
  }
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1 on');
  return { only: values.only, rounds, write: values.write };
}
