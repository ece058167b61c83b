import type { ContentsView } from '../../contents/store-contents.ts';
import type { Cell, Row, Table } from '../../contents/tables.ts';
import type { Realm } from '../../core/ids.ts';
import { toFault } from './postgres-fault.ts';
import type { Session } from './session.ts';

/** Some hundred kilobytes. */
const rowsAtOnce = 2_000;

/** From here on this connection sees the database as it is now. */
export async function fixMoment(session: Session): Promise<void> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
}

/** The store as a connection with a fixed moment sees it; closes the connection at its end. */
export function viewOf(session: Session, realm: Realm, name: string): ContentsView {
  return {
    realm,
    rows: (table) => readRows(session, table, name),
    close: () => session.end(),
  };
}

async function* readRows(session: Session, table: Table, name: string): AsyncGenerator<readonly Row[]> {
  const columns = table.columns.map((column) => column.name);
  const key = table.key.join(', ');
  const places = table.key.map((_, index) => `$${index + 1}`).join(', ');
  let after: Row | null = null;
  do {
    const condition: string = after === null ? '' : `WHERE (${key}) > (${places})`;
    const text = `SELECT ${columns.join(', ')} FROM ${table.name} ${condition} ORDER BY ${key} LIMIT ${rowsAtOnce}`;
    const rows: readonly Row[] = await ask(session, text, after ?? [], name);
    if (rows.length > 0) yield rows;
    const last = rows.length < rowsAtOnce ? undefined : rows.at(-1);
    after = last === undefined ? null : table.key.map((column) => last[columns.indexOf(column)] ?? null);
  } while (after !== null);
}

async function ask(session: Session, text: string, values: Row, name: string): Promise<readonly Row[]> {
  try {
    const { rows } = await session.query<Cell[]>({ text, values: [...values], rowMode: 'array' });
    return rows;
  } catch (error) {
    throw toFault(error, name);
  }
}
