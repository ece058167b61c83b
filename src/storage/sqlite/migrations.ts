import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '../../core/errors.ts';
import type { Realm } from '../../core/ids.ts';
import { firstTables } from './migrations/0001-first-tables.ts';
import { auditByTime } from './migrations/0002-audit-by-time.ts';
import { selfService } from './migrations/0003-self-service.ts';

/** The SQL that leads from each schema version to the next: the first entry leads from 0 to 1. */
const migrations: readonly string[] = [firstTables, auditByTime, selfService];

/** The schema version that this program reads and writes. */
export const schemaVersion: number = migrations.length;

/** "Latchkey" in the file header tells our files from other people's databases. */
const applicationId = 0x4c_74_63_68;

/** The realm of a database that needs no migration, read without a lock; null where `migrate` must look. */
export function currentRealm(database: DatabaseSync): Realm | null {
  if (readApplicationId(database) !== applicationId) return null;
  const meta = database.prepare('SELECT value FROM meta WHERE name = ?');
  if (Number(meta.get('schema')?.['value']) !== schemaVersion) return null;
  return String(meta.get('realm')?.['value']) as Realm;
}

/** A store that somebody is filling, or has not filled to the end: until then it is none. */
export interface Unfinished {
  /** The store of which this becomes a copy. */
  readonly realm: Realm;
  /** Tells those who fill it apart: the last who began may go on. */
  readonly run: string;
}

/** What `markUnfinished` has written; null for a store that is whole. */
export function readUnfinished(database: DatabaseSync): Unfinished | null {
  const row = database.prepare(`SELECT value FROM meta WHERE name = 'unfinished'`).get();
  return row === undefined ? null : (JSON.parse(String(row['value'])) as Unfinished);
}

/** Keeps everybody from opening the database as a store; null lets them again. */
export function markUnfinished(database: DatabaseSync, mark: Unfinished | null): void {
  if (mark === null) database.exec(`DELETE FROM meta WHERE name = 'unfinished'`);
  else database.prepare(`INSERT OR REPLACE INTO meta VALUES ('unfinished', ?)`).run(JSON.stringify(mark));
}

/** Throws `Fault('store_unavailable')` where the database is an unfinished copy. Not for one that is no store yet. */
export function assertFinished(database: DatabaseSync, path: string): void {
  if (readUnfinished(database) === null) return;
  throw new Fault(
    'store_unavailable',
    `The store ${path} is a copy that has not come to its end: run the same \`latchkey store copy\` again, ` +
      'which goes on where it stopped.',
  );
}

/** The schema version of one of Latchkey's databases; null where it has no tables yet. */
export function readSchemaVersion(database: DatabaseSync): number | null {
  if (readApplicationId(database) !== applicationId) return null;
  return Number(database.prepare(`SELECT value FROM meta WHERE name = 'schema'`).get()?.['value']);
}

/** Throws `Fault('store_unavailable')` where a newer Latchkey has written the database. */
export function assertKnown(version: number, path: string): void {
  if (version <= schemaVersion) return;
  throw new Fault(
    'store_unavailable',
    `The store ${path} was written by a newer Latchkey (schema ${version}, this one knows ${schemaVersion}): ` +
      'install that version again, or restore a copy made before it.',
  );
}

/**
 * Throws `Fault('store_unavailable')` where the database is another program's, before anything of it is
 * changed. One statement, so that it sees a file that another process is just making before or after, not between.
 */
export function assertOurs(database: DatabaseSync, path: string): void {
  const { id, tables } = database.prepare(identitySql).get() ?? {};
  if (id === applicationId || tables === 0) return;
  throw new Fault(
    'store_unavailable',
    `${path} is an SQLite database, but not one of Latchkey's: name another file as the store.`,
  );
}

const identitySql = `
  SELECT (SELECT application_id FROM pragma_application_id) AS id, (SELECT count(*) FROM sqlite_schema) AS tables`;

function readApplicationId(database: DatabaseSync): unknown {
  return database.prepare('PRAGMA application_id').get()?.['application_id'];
}

/**
 * Brings the database to `schemaVersion` and returns its realm, `newRealm` where it had none.
 * Must run inside a transaction that excludes all others. Throws `Fault('store_unavailable')` where the
 * file is another program's or a newer Latchkey's.
 */
export function migrate(database: DatabaseSync, path: string, newRealm: Realm): Realm {
  assertOurs(database, path);
  if (readApplicationId(database) !== applicationId) adoptEmpty(database, newRealm);
  const meta = database.prepare('SELECT value FROM meta WHERE name = ?');
  const version = Number(meta.get('schema')?.['value']);
  assertKnown(version, path);
  for (const sql of migrations.slice(version)) database.exec(sql);
  database.prepare(`UPDATE meta SET value = ? WHERE name = 'schema'`).run(String(schemaVersion));
  return String(meta.get('realm')?.['value']) as Realm;
}

function adoptEmpty(database: DatabaseSync, newRealm: Realm): void {
  database.exec(`
    PRAGMA application_id = ${applicationId};
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    INSERT INTO meta VALUES ('schema', '0');
  `);
  database.prepare(`INSERT INTO meta VALUES ('realm', ?)`).run(newRealm);
}
