import { createHash } from 'node:crypto';
import type { ContentsView } from './store-contents.ts';
import { type Row, tables } from './tables.ts';

/** How much a table holds, and a sum over all of it: equal sums are equal rows. */
export interface TableSummary {
  readonly table: string;
  readonly rows: number;
  /** SHA-256 over the rows in the order of their key, hexadecimal. */
  readonly sha256: string;
}

/** A row as a line of text. */
export function rowLine(row: Row): string {
  return `${JSON.stringify(row)}\n`;
}

/** Adds up one table as its rows pass by. */
export interface TableSum {
  add(line: string): void;
  summary(): TableSummary;
}

/** An empty sum. */
export function startSum(table: string): TableSum {
  const hash = createHash('sha256');
  let rows = 0;
  return {
    add(line) {
      hash.update(line);
      rows += 1;
    },
    summary: () => ({ table, rows, sha256: hash.digest('hex') }),
  };
}

/** Reads every table to its end. */
export async function summarize(view: ContentsView): Promise<readonly TableSummary[]> {
  const summaries: TableSummary[] = [];
  for (const table of tables) {
    const sum = startSum(table.name);
    for await (const rows of view.rows(table)) for (const row of rows) sum.add(rowLine(row));
    summaries.push(sum.summary());
  }
  return summaries;
}
