import { randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ContentsFilling, FillMode } from '../../contents/store-contents.ts';
import { type Table, tables } from '../../contents/tables.ts';
import type { Clock } from '../../core/clock.ts';
import { Fault } from '../../core/errors.ts';
import type { Realm } from '../../core/ids.ts';
import type { RandomBytes } from '../../core/random.ts';
import { connectPatiently, viewOf } from './contents-view.ts';
import { openSqlite } from './database.ts';
import { markUnfinished, readUnfinished } from './migrations.ts';
import { isConstraint, toFault } from './sqlite-fault.ts';
import { searchKeyOf } from '../searched-texts.ts';

interface FillingDeps {
  readonly path: string;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

/** See `StoreContents.fill`. */
export async function fillSqlite(deps: FillingDeps, realm: Realm, mode: FillMode): Promise<ContentsFilling> {
  const { path } = deps;
  // Makes it, or brings it up to date.
  (await openSqlite({ ...deps, unfinishedToo: true })).close();
  const connection = connectPatiently(path);
  try {
    connection.exec('BEGIN IMMEDIATE');
    const mark = { realm, run: randomUUID() };
    markUnfinished(connection, mark);
    if (mode === 'in-steps') connection.exec('COMMIT');
    return filling(connection, path, mark, mode);
  } catch (error) {
    connection.close();
    throw toFault(error, path);
  }
}

function filling(
  connection: DatabaseSync,
  path: string,
  mark: { readonly realm: Realm; readonly run: string },
  mode: FillMode,
): ContentsFilling {
  const inserts = new Map<string, StatementSync>();
  const insertOf = (table: Table): StatementSync => {
    const known = inserts.get(table.name) ?? connection.prepare(insertSql(table));
    inserts.set(table.name, known);
    return known;
  };
  const step = async (what: string, work: () => void): Promise<void> => {
    try {
      if (mode === 'in-steps') connection.exec('BEGIN IMMEDIATE');
      assertOnlyFiller(connection, path, mark.run);
      work();
      if (mode === 'in-steps') connection.exec('COMMIT');
    } catch (error) {
      if (mode === 'in-steps' && connection.isTransaction) connection.exec('ROLLBACK');
      throw isConstraint(error) ? refusedRow(error, path, what) : toFault(error, path);
    }
  };
  return {
    held: async () => viewOf(connectPatiently(path), path),
    append: (table, rows) =>
      step(table.name, () => {
        const insert = insertOf(table);
        for (const row of rows)
          insert.run(...row, ...(table.name === 'users' ? [searchKeyOf(table, row)] : []));
      }),
    clear: () =>
      step('anything', () => {
        for (const { name } of tables.toReversed()) connection.exec(`DELETE FROM ${name}`);
      }),
    finish: () =>
      step('meta', () => {
        connection.prepare(`UPDATE meta SET value = ? WHERE name = 'realm'`).run(mark.realm);
        connection.exec(`DELETE FROM meta WHERE name LIKE 'pepper:%'`);
        markUnfinished(connection, null);
        if (mode === 'at-once') connection.exec('COMMIT');
      }),
    // Takes back what was not committed.
    close: async () => connection.close(),
  };
}

function insertSql(table: Table): string {
  const names = [...table.columns.map(({ name }) => name), ...(table.name === 'users' ? ['search_key'] : [])];
  return `INSERT INTO ${table.name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
}

function assertOnlyFiller(connection: DatabaseSync, path: string, run: string): void {
  if (readUnfinished(connection)?.run === run) return;
  throw new Fault(
    'store_unavailable',
    `The store ${path} is being filled by another command, which began later: this one leaves it to that.`,
  );
}

function refusedRow(error: unknown, path: string, table: string): Fault {
  const reason = error instanceof Error ? error.message : 'unknown reason';
  return new Fault(
    'store_unavailable',
    `The store ${path} does not take a row of ${table}: ${reason}.`,
    error,
  );
}
