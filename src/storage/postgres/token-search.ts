import type { Row } from '../row.ts';
import type { OwnedToken, TokenQuery, TokenStore } from '../../tokens/token-store.ts';
import { emptyPage, toPage } from '../cursor.ts';
import { foldText } from '../fold-text.ts';
import { direction, orderKeys, type Place, positionOf, readPlace, tokenStates } from '../token-places.ts';
import { ownedTokenColumns, toOwnedToken } from '../token-rows.ts';
import type { PostgresDatabase } from './database.ts';
import { holding, type Parameters, planned } from './statement.ts';

/** Searches tokens along the index of the order, or by what few tokens have: PostgreSQL chooses. */
export function createTokenSearch(database: PostgresDatabase): TokenStore['search'] {
  return async (query, now) => {
    const after = query.after === undefined ? null : readPlace(query, query.after);
    if (query.after !== undefined && after === null) return emptyPage;
    const conditions = toConditions(query, now);
    const [found, total] = await Promise.all([
      find(database, query, conditions, after),
      query.userId === undefined ? null : count(database, conditions),
    ]);
    const page = toPage(found, query.limit, ({ place }) => positionOf(query, place), total);
    return { ...page, items: page.items.map(({ owned }) => owned) };
  };
}

interface Found {
  readonly place: Place;
  readonly owned: OwnedToken;
}

interface Conditions {
  readonly where: string;
  readonly parameters: Parameters;
}

/** One more than the page holds where there is one: first those that have a key, then those that have none. */
async function find(
  { slowly }: PostgresDatabase,
  query: TokenQuery,
  { where, parameters }: Conditions,
  after: Place | null,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const missing of [0, 1]) {
    if (missing < (after?.missing ?? 0) || (missing === 1 && orderKeys[query.order].type === 'string'))
      continue;
    const part = partOf(query, missing, after?.missing === missing ? after : null);
    const statement = planned(`
      SELECT ${ownedTokenColumns}, t.place_key FROM (
        SELECT t.*, ${part.key} AS place_key FROM tokens t WHERE ${part.where} AND ${where} ${part.order} LIMIT :limit
      ) t JOIN users u ON u.id = t.user_id ${part.order}`);
    const limit = query.limit + 1 - found.length;
    const rows = await slowly.rows(statement, { ...parameters, ...part.parameters, limit });
    found.push(...rows.map((row) => ({ place: toPlace(row, missing), owned: toOwnedToken(row) })));
    if (found.length > query.limit) break;
  }
  return found;
}

/** Those that have a key, or those that have none, behind a place: which, and in what order. */
function partOf(
  { order, descending }: TokenQuery,
  missing: number,
  after: Place | null,
): { readonly key: string; readonly where: string; readonly order: string; readonly parameters: Parameters } {
  const { sql } = orderKeys[order];
  const [way, behind] = [direction(descending), descending ? '<' : '>'];
  if (missing === 1 || order === 'created') {
    const among = missing === 1 ? `${sql} IS NULL` : 'TRUE';
    return {
      key: missing === 1 ? '0' : 't.id',
      where: after === null ? among : `${among} AND t.id ${behind} :afterId`,
      order: `ORDER BY t.id ${way}`,
      parameters: after === null ? {} : { afterId: after.id },
    };
  }
  const among = `${sql} IS NOT NULL`;
  return {
    key: sql,
    where: after === null ? among : `${among} AND (${sql}, t.id) ${behind} (:afterKey, :afterId)`,
    order: `ORDER BY ${sql} ${way}, t.id ${way}`,
    parameters: after === null ? {} : { afterKey: after.key, afterId: after.id },
  };
}

function toPlace(row: Row, missing: number): Place {
  return { missing, key: row['place_key'] as string | number, id: String(row['id']) };
}

async function count({ slowly }: PostgresDatabase, { where, parameters }: Conditions): Promise<number> {
  const row = await slowly.row(planned(`SELECT count(*) AS count FROM tokens t WHERE ${where}`), parameters);
  return Number(row?.['count']);
}

/** What the query asks of a token `t`. */
function toConditions({ userId, text, state }: TokenQuery, now: number): Conditions {
  const conditions = [tokenStates[state ?? 'unrevoked']];
  if (userId !== undefined) conditions.push('t.user_id = :userId');
  if (text !== undefined) {
    const typed = `t.prefix >= :typed AND t.prefix < :typed || U&'\\+10FFFF'`;
    conditions.push(`(t.name_key LIKE :text OR t.client_key LIKE :text OR (${typed}))`);
  }
  return {
    where: conditions.join(' AND '),
    parameters: {
      ...(userId !== undefined && { userId }),
      ...(text !== undefined && { typed: text, text: holding(foldText(text)) }),
      ...((state === 'active' || state === 'expired') && { now }),
    },
  };
}
