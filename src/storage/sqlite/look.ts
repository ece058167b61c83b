import type { PepperId } from '../../core/ids.ts';
import { peppersInUseSql } from '../token-rows.ts';
import { connectPatiently } from './contents-view.ts';
import { checkWhole } from './database.ts';
import { assertFinished, assertKnown, assertOurs, readSchemaVersion, schemaVersion } from './migrations.ts';
import { toFault } from './sqlite-fault.ts';

/** What a store file says of itself. */
export interface SqliteReport {
  /** 'new': an empty file, in which tables are made; 'older': they are brought up to date at the next start. */
  readonly state: 'new' | 'current' | 'older';
  /** Those that unrevoked tokens need. */
  readonly pepperIds: readonly PepperId[];
}

/**
 * Opens a file that is there, looks whether it is whole and may be written, and changes nothing.
 * @throws {Fault} 'store_unavailable' where it cannot be used as the store.
 */
export function lookAtSqlite(path: string): SqliteReport {
  const connection = connectPatiently(path);
  try {
    assertOurs(connection, path);
    connection.exec('BEGIN IMMEDIATE; ROLLBACK; PRAGMA query_only = ON');
    checkWhole(connection, path);
    const version = readSchemaVersion(connection);
    if (version === null) return { state: 'new', pepperIds: [] };
    assertKnown(version, path);
    assertFinished(connection, path);
    return {
      state: version === schemaVersion ? 'current' : 'older',
      pepperIds: connection
        .prepare(peppersInUseSql)
        .all()
        .map(({ id }) => String(id) as PepperId),
    };
  } catch (error) {
    throw toFault(error, path);
  } finally {
    connection.close();
  }
}
