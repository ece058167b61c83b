import { foldUserName } from '../../core/user-name.ts';
import type { UserQuery, UserStore } from '../../identity/user-store.ts';
import { emptyPage, readCursor, toPage } from '../cursor.ts';
import { toUser } from '../user-rows.ts';
import type { PostgresDatabase } from './database.ts';
import { holding, planned } from './statement.ts';

/** Searches users in the order of their names, or by what few of them have: PostgreSQL chooses. */
export function createUserSearch(database: PostgresDatabase): UserStore['search'] {
  return async (query) => {
    const cursor = query.after === undefined ? [''] : readCursor(query.after, ['string']);
    if (cursor === null) return emptyPage;
    const { where, parameters } = toConditions(query);
    const statement = planned(`
      SELECT * FROM users WHERE removed_at IS NULL AND name_key > :after ${where} ORDER BY name_key LIMIT :limit`);
    const bounds = { after: String(cursor[0]), limit: query.limit + 1 };
    const rows = await database.slowly.rows(statement, { ...parameters, ...bounds });
    return toPage(
      rows.map((row) => toUser(row)),
      query.limit,
      ({ nameKey }) => [nameKey],
    );
  };
}

function toConditions({ text, source, role, shutOut }: UserQuery): {
  readonly where: string;
  readonly parameters: Record<string, string>;
} {
  const conditions: string[] = [];
  if (text !== undefined) conditions.push('search_key LIKE :text');
  if (source !== undefined) conditions.push('source = :source');
  if (role !== undefined) conditions.push('role = :role');
  // Worded as the index of them.
  if (shutOut !== undefined) conditions.push(`${shutOut ? '' : 'NOT '}(disabled = 1 OR lapsed = 1)`);
  return {
    where: conditions.map((each) => `AND ${each}`).join(' '),
    parameters: {
      ...(text !== undefined && { text: holding(foldUserName(text)) }),
      ...(source !== undefined && { source }),
      ...(role !== undefined && { role }),
    },
  };
}
