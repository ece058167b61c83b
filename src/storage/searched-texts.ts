import type { Row, Table } from '../contents/tables.ts';
import { searchKey } from './user-rows.ts';

/** A cell of a row as text; null where there is nothing in it. */
export function cellOf(table: Table, row: Row, name: string): string | null {
  const value = row[table.columns.findIndex((column) => column.name === name)] ?? null;
  return value === null ? null : String(value);
}

/** What searches look in of a row of `users`: nothing, where that user was removed. */
export function searchKeyOf(table: Table, row: Row): string {
  const cell = (name: string): string | null => cellOf(table, row, name);
  if (cell('removed_at') !== null) return '';
  return searchKey({
    nameKey: cell('name_key') ?? '',
    displayName: cell('display_name'),
    email: cell('email'),
  });
}
