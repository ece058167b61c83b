import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContentsView } from '../../contents/store-contents.ts';
import type { Row, Table } from '../../contents/tables.ts';
import type { Realm } from '../../core/ids.ts';
import { connect } from './database.ts';
import { toFault } from './sqlite-fault.ts';

const busyMs = 5_000;
/** Some hundred kilobytes. */
const rowsAtOnce = 2_000;

/**
 * A connection whose statements wait for other processes themselves, up to 5 s.
 * @throws {Fault} 'store_unavailable' where the file cannot be opened, or is no database.
 */
export function connectPatiently(path: string): DatabaseSync {
  try {
    const connection = connect(path);
    connection.exec(`PRAGMA busy_timeout = ${busyMs}`);
    return connection;
  } catch (error) {
    throw toFault(error, path);
  }
}

/** The store as this connection finds it now; closes the connection at its end. */
export function viewOf(connection: DatabaseSync, path: string): ContentsView {
  // The first read, not BEGIN, fixes the moment.
  connection.exec('BEGIN');
  const meta = connection.prepare(`SELECT value FROM meta WHERE name = 'realm'`).get();
  return {
    realm: String(meta?.['value']) as Realm,
    rows: (table) => readRows(connection, path, table),
    close: async () => connection.close(),
  };
}

async function* readRows(
  connection: DatabaseSync,
  path: string,
  table: Table,
): AsyncGenerator<readonly Row[]> {
  try {
    const columns = table.columns.map(({ name }) => name).join(', ');
    const statement = connection.prepare(
      `SELECT ${columns} FROM ${table.name} ORDER BY ${table.key.join(', ')}`,
    );
    statement.setReturnArrays(true);
    let rows: Row[] = [];
    for (const row of statement.iterate()) {
      // STRICT tables hold texts and whole numbers here.
      rows.push(row as unknown as Row);
      if (rows.length < rowsAtOnce) continue;
      yield rows;
      rows = [];
      // Reading waits for nothing, and would hold up whoever fills another store with it, or waits for one.
      await nextTurn();
    }
    if (rows.length > 0) yield rows;
  } catch (error) {
    throw toFault(error, path);
  }
}
