import type { OwnedToken, TokenQuery, TokenStore } from '../../tokens/token-store.ts';
import { emptyPage, toPage } from '../cursor.ts';
import type { SqliteDatabase } from './database.ts';
import { ownedTokenColumns, ownedTokenSource, toOwnedToken } from '../token-rows.ts';
import { searchOfAll } from './token-search-of-all.ts';
import { searchOfUser } from './token-search-of-user.ts';
import { type Place, positionOf, readPlace } from '../token-places.ts';
import { toConditions } from './token-search-terms.ts';

/** Searches tokens so that neither a user with very many of them nor everybody's hold up requests. */
export function createTokenSearch(database: SqliteDatabase): TokenStore['search'] {
  const byId = database.prepare(`SELECT ${ownedTokenColumns} FROM ${ownedTokenSource} WHERE t.id = ?`);
  const read = ({ id }: Place): OwnedToken => {
    const row = byId.get(id);
    // No token is ever deleted.
    if (row === undefined) throw new Error(`the token ${id} was there a moment ago`);
    return toOwnedToken(row);
  };
  return async (query, now) => {
    const after = query.after === undefined ? null : readPlace(query, query.after);
    if (query.after !== undefined && after === null) return emptyPage;
    const { places, total } = await find(database, query, after, now);
    const page = toPage(places, query.limit, (place) => positionOf(query, place), total);
    return { ...page, items: database.read(() => page.items.map(read)) };
  };
}

async function find(
  database: SqliteDatabase,
  query: TokenQuery,
  after: Place | null,
  now: number,
): Promise<{ readonly places: readonly Place[]; readonly total: number | null }> {
  const conditions = toConditions(query, now);
  const { userId } = query;
  return userId === undefined
    ? { places: await searchOfAll(database, query, conditions, after), total: null }
    : searchOfUser(database, { ...query, userId }, conditions, after);
}
