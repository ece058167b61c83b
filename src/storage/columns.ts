import type { Row } from './row.ts';

/** Which column holds which field. */
export type Columns<Kept> = readonly (readonly [column: string, field: keyof Kept & string])[];

/** Inserts a whole row; takes `toRow`. */
export function insertSql<Kept>(table: string, columns: Columns<Kept>): string {
  const names = columns.map(([column]) => column);
  return `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((name) => `:${name}`).join(', ')})`;
}

/** A record of texts and numbers as named parameters. */
export function toRow<Kept>(columns: Columns<Kept>, record: Kept): Record<string, string | number | null> {
  return Object.fromEntries(
    columns.map(([column, field]) => [column, record[field] as string | number | null]),
  );
}

/** A row as a record. The tables keep each column's type: `columns` must name one for each field. */
export function fromRow<Kept>(columns: Columns<Kept>, row: Row): Kept {
  return Object.fromEntries(columns.map(([column, field]) => [field, row[column]])) as Kept;
}
