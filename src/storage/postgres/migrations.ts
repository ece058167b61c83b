import type { Realm } from '../../core/ids.ts';
import { firstTables, textIndexes } from './migrations/0001-first-tables.ts';
import { isLacking, storeFault } from './postgres-fault.ts';
import type { Session } from './session.ts';

/** The SQL that leads from each schema version to the next: the first entry leads from 0 to 1. */
const migrations: readonly string[] = [firstTables];

/** The schema version that this program reads and writes; counted apart from that of SQLite files. */
export const postgresSchemaVersion: number = migrations.length;

/** "Latchkey" and "schema": one process at a time makes tables. */
const migrationLock = `SELECT pg_advisory_xact_lock(1281456995, 1935894637)`;

/** What a database is to us before anything of it is changed. */
export interface Standing {
  /** Where tables are made; null where the user's search_path names no schema that exists. */
  readonly schema: string | null;
  /** Tables in it, whosever they are. */
  readonly tables: number;
  /** Null where it is not ours, or new. */
  readonly ours: { readonly version: number; readonly realm: Realm } | null;
}

/**
 * Makes or migrates the tables where needed, in one transaction that waits for others that do so, and resolves to the realm:
 * `newRealm` where there was none. Rejects with `Fault('store_unavailable')` where the tables are another program's or a
 * newer Latchkey's.
 */
export async function bringUpToDate(session: Session, name: string, newRealm: Realm): Promise<Realm> {
  const standing = await standingOf(session);
  if (standing.ours?.version === postgresSchemaVersion) return standing.ours.realm;
  assertUsable(standing, name);
  await session.query(`BEGIN; SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '10min';
    SET LOCAL idle_in_transaction_session_timeout = '10min'; SET LOCAL synchronous_commit = on`);
  await session.query(migrationLock);
  const known = await standingOf(session);
  assertUsable(known, name);
  const realm = known.ours?.realm ?? newRealm;
  if (known.ours === null) await session.query(metaTable(newRealm));
  const version = known.ours?.version ?? 0;
  for (const sql of migrations.slice(version)) await session.query(sql);
  if (version === 0) await indexTexts(session);
  await session.query(`UPDATE meta SET value = '${postgresSchemaVersion}' WHERE name = 'schema'`);
  await session.query('COMMIT');
  return realm;
}

/** Whether `bringUpToDate` would find nothing to do. */
export async function isUpToDate(session: Session): Promise<boolean> {
  return (await standingOf(session)).ours?.version === postgresSchemaVersion;
}

/** Looks, and changes nothing. */
export async function standingOf(session: Session): Promise<Standing> {
  const { rows } = await session.query<{ schema: string | null; tables: number; meta: number }>(standingSql);
  const { schema = null, tables = 0, meta = 0 } = rows[0] ?? {};
  if (meta !== 2) return { schema, tables, ours: null };
  const kept = await session.query<{ name: string; value: string }>(`SELECT name, value FROM meta`);
  const values = new Map(kept.rows.map((row) => [row.name, row.value]));
  if (values.get('program') !== 'latchkey') return { schema, tables, ours: null };
  return {
    ...{ schema, tables },
    ours: { version: Number(values.get('schema')), realm: values.get('realm') as Realm },
  };
}

/**
 * Throws `Fault('store_unavailable')` where tables of ours can neither be used nor made there.
 */
export function assertUsable({ schema, tables, ours }: Standing, name: string): void {
  if (schema === null) {
    throw storeFault(
      name,
      'has no schema for tables: CREATE SCHEMA, or correct the search_path of the user.',
    );
  }
  if (ours === null && tables > 0) {
    throw storeFault(
      name,
      `holds tables in the schema ${schema}, but not Latchkey's: name an empty database, or give the user a schema of its own as search_path.`,
    );
  }
  if (ours !== null && ours.version > postgresSchemaVersion) {
    throw storeFault(
      name,
      `was written by a newer Latchkey (schema ${ours.version}, this one knows ${postgresSchemaVersion}): ` +
        'install that version again, or restore a copy made before it.',
    );
  }
}

/** Those of extensions are nobody's. */
const standingSql = `
  SELECT current_schema() AS schema,
    (SELECT count(*) FROM pg_class c
      WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND NOT EXISTS (SELECT 1 FROM pg_depend d
          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) AS tables,
    (SELECT count(*) FROM pg_attribute
      WHERE attrelid = to_regclass(quote_ident(current_schema()) || '.meta') AND attname IN ('name', 'value')) AS meta`;

function metaTable(realm: Realm): string {
  return `
    CREATE TABLE meta (name text PRIMARY KEY, value text NOT NULL);
    INSERT INTO meta VALUES ('program', 'latchkey'), ('schema', '0'), ('realm', '${realm}')`;
}

/** Without pg_trgm everything works, and searches for a text look at every row. */
async function indexTexts(session: Session): Promise<void> {
  await session.query('SAVEPOINT texts');
  try {
    await session.query(`CREATE EXTENSION IF NOT EXISTS pg_trgm; ${textIndexes}`);
  } catch (error) {
    if (!isLacking(error)) throw error;
    await session.query('ROLLBACK TO SAVEPOINT texts');
  }
}
