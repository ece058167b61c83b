import { setImmediate as nextTurn } from 'node:timers/promises';
import { foldUserName } from '../../core/user-name.ts';
import type { UserQuery, UserStore } from '../../identity/user-store.ts';
import { emptyPage, readCursor, toPage } from '../cursor.ts';
import type { SqliteDatabase } from './database.ts';
import { findFewRows, trigrams } from './few-rows.ts';
import type { Row } from '../row.ts';
import { toUser } from '../user-rows.ts';

/** Users looked at before other work gets its turn; of each only what an index holds. */
const rowsAtOnce = 10_000;
/** Behind every folded name. */
const behindAllNames = '\u{10ffff}';

interface Search {
  /** Asked of each user; begins with AND where there is anything. */
  readonly conditions: string;
  readonly parameters: Record<string, string>;
  /** Behind this folded name. */
  readonly after: string;
  /** One more than the page holds. */
  readonly limit: number;
}

/**
 * Searches users: where an index says that few can be meant, among those; else along one that holds everything asked for,
 * in the order of the answer, until the page is full.
 */
export function createUserSearch(database: SqliteDatabase): UserStore['search'] {
  return async (query) => {
    const cursor = query.after === undefined ? [''] : readCursor(query.after, ['string']);
    if (cursor === null) return emptyPage;
    const search = { ...toConditions(query), after: String(cursor[0]), limit: query.limit + 1 };
    const few = findFew(database, query);
    const rows = few === null ? await walk(database, search) : choose(database, search, few);
    const users = rows.map((row) => toUser(row));
    return toPage(users, query.limit, ({ nameKey }) => [nameKey]);
  };
}

/** The rows that can be meant; null where they are many. */
function findFew(database: SqliteDatabase, { text = '', role, shutOut }: UserQuery): string | null {
  const sources: string[] = [];
  const terms = trigrams(foldUserName(text));
  if (terms !== null) sources.push('SELECT rowid FROM user_texts WHERE user_texts MATCH :terms');
  if (role === 'admin') sources.push(`SELECT rowid FROM users WHERE removed_at IS NULL AND role = 'admin'`);
  if (shutOut === true) sources.push('SELECT rowid FROM users WHERE (disabled = 1 OR lapsed = 1)');
  return findFewRows(database, sources, terms);
}

function choose(
  database: SqliteDatabase,
  { conditions, parameters, after, limit }: Search,
  rows: string,
): readonly Row[] {
  const chosen = database.prepare(`
    SELECT * FROM users WHERE rowid IN (SELECT value FROM json_each(:rows))
      AND removed_at IS NULL AND name_key > :after ${conditions}
    ORDER BY name_key LIMIT :limit`);
  return database.read(() => chosen.all({ ...parameters, rows, after, limit }));
}

async function walk(
  database: SqliteDatabase,
  { conditions, parameters, after, limit }: Search,
): Promise<readonly Row[]> {
  const end = database.prepare(`
    SELECT name_key FROM users INDEXED BY users_by_search WHERE removed_at IS NULL AND name_key > ?
    ORDER BY name_key LIMIT 1 OFFSET ${rowsAtOnce - 1}`);
  const portion = database.prepare(`
    SELECT * FROM users WHERE rowid IN (
      SELECT rowid FROM users INDEXED BY users_by_search
      WHERE removed_at IS NULL AND name_key > :after AND name_key <= :upTo ${conditions}
      ORDER BY name_key LIMIT :limit
    ) ORDER BY name_key`);
  const found: Row[] = [];
  for (let from = after; ; ) {
    const begin = from;
    const last = database.read(() => end.get(begin)?.['name_key'] ?? null);
    const within = { after: begin, upTo: last ?? behindAllNames, limit: limit - found.length };
    found.push(...database.read(() => portion.all({ ...parameters, ...within })));
    if (found.length >= limit || last === null) return found;
    from = String(last);
    await nextTurn();
  }
}

function toConditions({ text, source, role, shutOut }: UserQuery): Pick<Search, 'conditions' | 'parameters'> {
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
  return { conditions: conditions.map((each) => `AND ${each}`).join(' '), parameters };
}
