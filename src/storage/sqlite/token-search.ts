import type { StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OwnedToken, TokenOrder, TokenQuery, TokenStore } from '../../tokens/token-store.ts';
import { emptyPage, readCursor, toPage } from './cursor.ts';
import { foldText, type SqliteDatabase } from './database.ts';
import {
  ownedTokenColumns,
  ownedTokenSource,
  ownerShutOutSql,
  tokenEndedSql,
  toOwnedToken,
} from './token-rows.ts';

/** Tokens looked at before other work gets its turn. */
const rowsAtOnce = 2_000;

/** What a token is sorted by; `missing` is 1 where it has no key and therefore comes last, whatever the direction. */
interface Place {
  readonly missing: number;
  readonly key: string | number;
  readonly id: string;
}

const keys: Readonly<Record<TokenOrder, { readonly sql: string; readonly type: 'string' | 'number' }>> = {
  created: { sql: 't.id', type: 'string' },
  name: { sql: 'lower(t.name)', type: 'string' },
  used: { sql: 't.last_used_at', type: 'number' },
  expires: { sql: 't.expires_at', type: 'number' },
};

const states: Readonly<Record<NonNullable<TokenQuery['state']> | 'unrevoked', string>> = {
  unrevoked: 't.revoked_at IS NULL',
  revoked: 't.revoked_at IS NOT NULL',
  off: 't.revoked_at IS NULL AND t.enabled = 0',
  expired: `t.revoked_at IS NULL AND t.enabled = 1 AND (${tokenEndedSql}) IS TRUE`,
  active: `t.revoked_at IS NULL AND t.enabled = 1 AND (${tokenEndedSql}) IS NOT TRUE AND NOT EXISTS (${ownerShutOutSql})`,
};

/**
 * Searches tokens portion by portion, keeping the best of what was seen, so that neither a user with very many tokens
 * nor everybody's tokens hold up requests.
 */
export function createTokenSearch(database: SqliteDatabase): TokenStore['search'] {
  const byId = database.prepare(`SELECT ${ownedTokenColumns} FROM ${ownedTokenSource} WHERE t.id = ?`);
  const read = (id: string): OwnedToken | null => {
    const row = byId.get(id);
    return row === undefined ? null : toOwnedToken(row);
  };
  return async (query, now) => {
    const after = query.after === undefined ? null : readPlace(query, query.after);
    if (query.after !== undefined && after === null) return emptyPage;
    const { places, total } = await findPlaces(database, query, after, now);
    const found = database.read(() =>
      places.flatMap((place) => {
        const owned = read(place.id);
        return owned === null ? [] : [{ owned, place }];
      }),
    );
    const positionOf = ({ place: { missing, key, id } }: (typeof found)[number]) => {
      return [query.order, Number(query.descending), missing, key, id];
    };
    const page = toPage(found, query.limit, positionOf, total);
    return { ...page, items: page.items.map(({ owned }) => owned) };
  };
}

function readPlace({ order, descending }: TokenQuery, cursor: string): Place | null {
  const position = readCursor(cursor, ['string', 'number', 'number', keys[order].type, 'string']);
  if (position === null || position[0] !== order || position[1] !== Number(descending)) return null;
  return { missing: Number(position[2]), key: position[3] ?? '', id: String(position[4]) };
}

/** The best places behind `after`, one more than the page holds where there is one. */
async function findPlaces(
  database: SqliteDatabase,
  query: TokenQuery,
  after: Place | null,
  now: number,
): Promise<{ readonly places: readonly Place[]; readonly total: number | null }> {
  const { userId, order, limit } = query;
  const isAll = userId === undefined;
  const { where, parameters } = toConditions(query, now);
  const search = prepare(database, query, where, after !== null);
  const behind = after === null ? {} : { missing: after.missing, key: after.key, after: after.id };
  let places: readonly Place[] = [];
  let total = 0;
  for await (const within of portions(database, query, after)) {
    const isFull = order === 'created' && places.length > limit;
    if (isFull && isAll) break;
    const rows = database.read(() => {
      if (!isAll) total += Number(search.count.get({ ...parameters, ...within })?.['count']);
      return isFull ? [] : search.best.all({ ...parameters, ...within, ...behind, limit: limit + 1 });
    });
    // The two queries name the columns of a place.
    const better = [...places, ...(rows as unknown as readonly Place[])];
    places = better.toSorted(comparison(query.descending)).slice(0, limit + 1);
  }
  return { places, total: isAll ? null : total };
}

/** Bounds of so many tokens each, in the order of their ids: the order of the answer where that is 'created'. */
async function* portions(
  database: SqliteDatabase,
  { userId, order, descending }: TokenQuery,
  after: Place | null,
): AsyncGenerator<{ readonly userId?: string; readonly low: string; readonly high: string }> {
  const isForward = order === 'created' && !descending;
  const owner = userId === undefined ? {} : { userId };
  const end = database.prepare(`
    SELECT id FROM tokens t WHERE ${userId === undefined ? 'TRUE' : 't.user_id = :userId'}
      AND t.id ${isForward ? '>' : '<'} :from
    ORDER BY t.id ${direction(!isForward)} LIMIT 1 OFFSET ${rowsAtOnce - 1}`);
  const [first, last] = isForward ? [beforeAllIds, behindAllIds] : [behindAllIds, beforeAllIds];
  // Where nothing is counted, what lies before the page need not be looked at again.
  let from = order === 'created' && userId === undefined && after !== null ? after.id : first;
  for (;;) {
    const to = database.read(() => end.get({ ...owner, from })?.['id'] ?? null);
    const bound = to === null ? last : String(to);
    yield { ...owner, ...(isForward ? { low: from, high: bound } : { low: bound, high: from }) };
    if (to === null) return;
    from = bound;
    await nextTurn();
  }
}

const [beforeAllIds, behindAllIds] = ['', '~'];

/** What counts, and what finds the best, between the bounds of a portion; one of the two bounds belongs to it. */
function prepare(
  database: SqliteDatabase,
  { userId, order, descending }: TokenQuery,
  where: string,
  hasAfter: boolean,
): { readonly count: StatementSync; readonly best: StatementSync } {
  const isForward = order === 'created' && !descending;
  const within = `
    FROM tokens t WHERE ${userId === undefined ? '' : 't.user_id = :userId AND'}
      ${isForward ? 't.id > :low AND t.id <= :high' : 't.id >= :low AND t.id < :high'} AND ${where}`;
  const { sql } = keys[order];
  const way = direction(descending);
  return {
    count: database.prepare(`SELECT count(*) AS count ${within}`),
    best: database.prepare(`
      SELECT ${sql} IS NULL AS missing, coalesce(${sql}, 0) AS key, t.id AS id ${within}
        ${hasAfter ? `AND ${behindSql(sql, descending ? '<' : '>')}` : ''}
      ORDER BY 1, 2 ${way}, 3 ${way} LIMIT :limit`),
  };
}

function behindSql(key: string, sign: '<' | '>'): string {
  const [missing, present] = [`(${key} IS NULL)`, `coalesce(${key}, 0)`];
  return `(${missing} > :missing OR ${missing} = :missing
    AND (${present} ${sign} :key OR ${present} = :key AND t.id ${sign} :after))`;
}

function direction(descending: boolean): 'ASC' | 'DESC' {
  return descending ? 'DESC' : 'ASC';
}

function comparison(descending: boolean): (one: Place, other: Place) => number {
  const sign = descending ? -1 : 1;
  return (one, other) =>
    one.missing - other.missing ||
    sign * (compareKeys(one.key, other.key) || Buffer.compare(Buffer.from(one.id), Buffer.from(other.id)));
}

/** Texts by their bytes, as SQLite compares them. */
function compareKeys(one: string | number, other: string | number): number {
  return typeof one === 'string'
    ? Buffer.compare(Buffer.from(one), Buffer.from(String(other)))
    : one - Number(other);
}

function toConditions(
  { text, state }: TokenQuery,
  now: number,
): { readonly where: string; readonly parameters: Record<string, string | number> } {
  const inState = states[state ?? 'unrevoked'];
  const parameters: Record<string, string | number> = {};
  if (state === 'active' || state === 'expired') parameters['now'] = now;
  if (text === undefined) return { where: inState, parameters };
  // SQLite's own folding knows ASCII alone, and is the quicker by far.
  const fold = /^\p{ASCII}*$/u.test(text) ? 'lower' : 'folded';
  parameters['typed'] = text;
  parameters['text'] = foldText(text);
  const isIn = (column: string): string => `instr(${fold}(${column}), :text) > 0`;
  const named = `${isIn('t.name')} OR ${isIn(`coalesce(t.last_used_client, '')`)}`;
  return {
    where: `${inState} AND (${named} OR substr(t.prefix, 1, length(:typed)) = :typed)`,
    parameters,
  };
}
