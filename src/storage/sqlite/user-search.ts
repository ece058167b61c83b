import { foldUserName } from '../../core/user-name.ts';
import type { UserQuery, UserStore } from '../../identity/user-store.ts';
import { emptyPage, readCursor, toPage } from './cursor.ts';
import type { SqliteDatabase } from './database.ts';
import { toUser } from './user-rows.ts';

/** Searches users by one index that holds everything asked for: no more rows are read than are answered. */
export function createUserSearch(database: SqliteDatabase): UserStore['search'] {
  return async (query) => {
    const after = query.after === undefined ? [''] : readCursor(query.after, ['string']);
    if (after === null) return emptyPage;
    const { conditions, parameters } = toConditions(query);
    const sql = `
      SELECT * FROM users WHERE rowid IN (
        SELECT rowid FROM users INDEXED BY users_by_search
        WHERE removed_at IS NULL AND name_key > :after ${conditions.map((each) => `AND ${each}`).join(' ')}
        ORDER BY name_key LIMIT :limit
      ) ORDER BY name_key`;
    const all = { ...parameters, after: after[0] ?? '', limit: query.limit + 1 };
    const rows = database.read(() => database.prepare(sql).all(all));
    return toPage(
      rows.map((row) => toUser(row)),
      query.limit,
      ({ nameKey }) => [nameKey],
    );
  };
}

function toConditions({ text, source, role, shutOut }: UserQuery): {
  readonly conditions: readonly string[];
  readonly parameters: Record<string, string>;
} {
  const conditions: string[] = [];
  if (text !== undefined) conditions.push('instr(search_key, :text) > 0');
  if (source !== undefined) conditions.push('source = :source');
  if (role !== undefined) conditions.push('role = :role');
  if (shutOut !== undefined) conditions.push(`(disabled = 1 OR lapsed = 1) = ${shutOut ? 'TRUE' : 'FALSE'}`);
  const parameters = {
    ...(text !== undefined && { text: foldUserName(text) }),
    ...(source !== undefined && { source }),
    ...(role !== undefined && { role }),
  };
  return { conditions, parameters };
}
