import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { ContentsView, Occupancy, StoreContents } from '../../contents/store-contents.ts';
import { tables } from '../../contents/tables.ts';
import type { Clock } from '../../core/clock.ts';
import { Fault } from '../../core/errors.ts';
import type { Realm } from '../../core/ids.ts';
import type { RandomBytes } from '../../core/random.ts';
import { fillSqlite } from './contents-filling.ts';
import { connectPatiently, viewOf } from './contents-view.ts';
import { checkWhole } from './database.ts';
import {
  assertFinished,
  assertKnown,
  assertOurs,
  readSchemaVersion,
  readUnfinished,
  schemaVersion,
} from './migrations.ts';
import { toFault } from './sqlite-fault.ts';

/** Everything in one SQLite file. Waits for other processes block this one, up to 5 s: not for a gateway. */
export function createSqliteContents(path: string, clock: Clock, randomBytes: RandomBytes): StoreContents {
  return {
    place: path,
    view: async () => viewFile(path),
    occupancy: async () => occupancyOf(path),
    fill: (realm, mode) => fillSqlite({ path, clock, randomBytes }, realm, mode),
  };
}

function viewFile(path: string): ContentsView {
  if (!existsSync(path)) {
    throw new Fault('store_unavailable', `There is no store at ${path}: check the name of the file.`);
  }
  const connection = connectPatiently(path);
  try {
    connection.exec('PRAGMA query_only = ON');
    assertOurs(connection, path);
    checkWhole(connection, path);
    assertCurrent(connection, path);
    assertFinished(connection, path);
    return viewOf(connection, path);
  } catch (error) {
    connection.close();
    throw toFault(error, path);
  }
}

/** Whoever only reads a store changes nothing in it, so an older one is not brought up to date here. */
function assertCurrent(connection: DatabaseSync, path: string): void {
  const version = readSchemaVersion(connection);
  if (version === schemaVersion) return;
  if (version === null)
    throw new Fault('store_unavailable', `The file ${path} is empty: there is no store in it.`);
  assertKnown(version, path);
  throw new Fault(
    'store_unavailable',
    `The store ${path} has schema ${version}, and this Latchkey reads schema ${schemaVersion}: use the version that ` +
      'wrote it, or bring it up to date first, which any other command of this one does (`latchkey user list`).',
  );
}

function occupancyOf(path: string): Occupancy {
  if (!existsSync(path)) return { kind: 'empty', realm: null };
  const connection = connectPatiently(path);
  try {
    connection.exec('PRAGMA query_only = ON; BEGIN');
    assertOurs(connection, path);
    const version = readSchemaVersion(connection);
    if (version === null) return { kind: 'empty', realm: null };
    assertKnown(version, path);
    return occupancyOfStore(connection);
  } catch (error) {
    throw toFault(error, path);
  } finally {
    connection.close();
  }
}

function occupancyOfStore(connection: DatabaseSync): Occupancy {
  const unfinished = readUnfinished(connection);
  if (unfinished !== null) return { kind: 'unfinished', realm: unfinished.realm };
  const realm = String(
    connection.prepare(`SELECT value FROM meta WHERE name = 'realm'`).get()?.['value'],
  ) as Realm;
  const known = connection.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?');
  // An older store lacks some of the tables.
  const full = tables.find(
    ({ name }) =>
      known.get(name) !== undefined &&
      connection.prepare(`SELECT 1 FROM ${name} LIMIT 1`).get() !== undefined,
  );
  return full === undefined ? { kind: 'empty', realm } : { kind: 'full', realm, table: full.name };
}
