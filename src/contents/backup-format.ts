import type { TableSummary } from './summary.ts';
import type { Cell, Column, Row, Table } from './tables.ts';

/*
 * A backup is text in UTF-8, packed with gzip, a JSON value a line: the heading; for each table its name and columns,
 * followed by its rows as arrays; at last the ending, with a sum over all lines before it.
 */

/** The first line. */
export interface BackupHeading {
  readonly latchkey: 'backup';
  /** `contentsVersion` of the program that wrote it. */
  readonly version: number;
  /** ISO 8601. */
  readonly made: string;
  /** The version of that program. */
  readonly by: string;
  /** Files of the data folder by their name: secrets without which the store is of no use. */
  readonly files: Readonly<Record<string, string>>;
}

/** The line before the rows of a table. */
export interface TableHeading {
  readonly table: string;
  readonly columns: readonly string[];
}

/** The last line. */
export interface BackupEnding {
  readonly end: readonly TableSummary[];
  /** SHA-256 over every line before this one, line breaks included, hexadecimal. */
  readonly sha256: string;
}

/** What stands before the rows of this table. */
export function headingOf({ name, columns }: Table): TableHeading {
  return { table: name, columns: columns.map((column) => column.name) };
}

/** Whether this is the first line of a backup, of whatever version. */
export function isBackupHeading(value: unknown): value is BackupHeading {
  if (!isRecord(value) || value['latchkey'] !== 'backup' || !isRecord(value['files'])) return false;
  const { version, made, by, files } = value;
  return (
    [isCount(version), typeof made === 'string', typeof by === 'string'].every(Boolean) &&
    Object.values(files).every((file) => typeof file === 'string')
  );
}

/** Whether the value is a row of the table: as many cells, each of what its column holds. */
export function isRowOf({ columns }: Table, value: unknown): value is Row {
  return (
    Array.isArray(value) &&
    value.length === columns.length &&
    columns.every(({ holds }, index) => isCell(holds, value[index]))
  );
}

function isCell(holds: Column['holds'], value: unknown): value is Cell {
  if (value === null) return true;
  // Half a surrogate pair is nothing in UTF-8, and no store would give it back.
  return holds === 'text' ? typeof value === 'string' && value.isWellFormed() : Number.isSafeInteger(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
