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
  if (version > schemaVersion) {
    throw new Fault(
      'store_unavailable',
      `The store ${path} was written by a newer Latchkey (schema ${version}, this one knows ${schemaVersion}): ` +
        'install that version again, or restore a copy made before it.',
    );
  }
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
