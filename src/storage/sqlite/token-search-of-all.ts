import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TokenQuery } from '../../tokens/token-store.ts';
import type { SqliteDatabase } from './database.ts';
import { fewRowsMax, findFewRows, trigrams } from './few-rows.ts';
import { direction, orderKeys, type Place } from '../token-places.ts';
import { comparePlaces, type Conditions, placeSql } from './token-search-terms.ts';

/**
 * The best of everybody's tokens behind `after`, one more than the page holds where there is one. Where an index says that
 * few can be meant, those are looked at; else all of them in the order of the answer, until the page is full.
 */
export async function searchOfAll(
  database: SqliteDatabase,
  query: TokenQuery,
  conditions: Conditions,
  after: Place | null,
): Promise<readonly Place[]> {
  const few = findFew(database, query);
  return few === null
    ? walk(database, query, conditions, after)
    : choose(database, query, conditions, after, few);
}

/** The rows that can be meant; null where they are many. */
function findFew(database: SqliteDatabase, { text = '', state }: TokenQuery): string | null {
  const sources: string[] = [];
  const terms = trigrams(text);
  if (terms !== null) sources.push('SELECT rowid FROM token_texts WHERE token_texts MATCH :terms');
  if (state === 'revoked') sources.push('SELECT rowid FROM tokens WHERE revoked_at IS NOT NULL');
  if (state === 'off') sources.push('SELECT rowid FROM tokens WHERE revoked_at IS NULL AND enabled = 0');
  return findFewRows(database, sources, terms);
}

function choose(
  database: SqliteDatabase,
  { order, descending, limit }: TokenQuery,
  { where, parameters }: Conditions,
  after: Place | null,
  rows: string,
): readonly Place[] {
  const chosen = database.prepare(`
    SELECT ${placeSql(order)} FROM tokens t WHERE t.rowid IN (SELECT value FROM json_each(:rows)) AND ${where}`);
  const found = database.read(() => chosen.all({ ...parameters, rows }));
  // The query names the columns of a place.
  const places = found as unknown as readonly Place[];
  const compare = comparePlaces(descending);
  return places
    .filter((place) => after === null || compare(place, after) > 0)
    .toSorted(compare)
    .slice(0, limit + 1);
}

/** Along the index of the order: first those that have a key, then those that have none. */
async function walk(
  database: SqliteDatabase,
  query: TokenQuery,
  { where, parameters }: Conditions,
  after: Place | null,
): Promise<readonly Place[]> {
  const { order, descending, limit } = query;
  const found: Place[] = [];
  for (const missing of [0, 1]) {
    if (missing < (after?.missing ?? 0) || (missing === 1 && orderKeys[order].type === 'string')) continue;
    const part = partOf(query, missing === 1);
    const way = `ORDER BY ${part.by.map((column) => `${column} ${direction(descending)}`).join(', ')}`;
    const end = database.prepare(`
      SELECT ${placeSql(order)} FROM tokens t WHERE ${part.from} ${way} LIMIT 1 OFFSET ${fewRowsMax - 1}`);
    const portion = database.prepare(`
      SELECT ${placeSql(order)} FROM tokens t WHERE ${part.from} AND ${part.to} AND ${where} ${way} LIMIT :limit`);
    let from: Place | null = after?.missing === missing ? after : part.start;
    while (from !== null) {
      const begin = part.parametersOf(from, 'from');
      const last: Place | null = database.read(
        () => (end.get(begin) as unknown as Place | undefined) ?? null,
      );
      const bounds = { ...begin, ...part.parametersOf(last ?? part.end, 'to') };
      const left = { limit: limit + 1 - found.length };
      const rows = database.read(() => portion.all({ ...parameters, ...bounds, ...left }));
      found.push(...(rows as unknown as readonly Place[]));
      if (found.length > limit) return found;
      from = last;
      await nextTurn();
    }
  }
  return found;
}

/** One of the two parts of an index, and how it is bounded in the direction of the query. */
interface Part {
  readonly by: readonly string[];
  /** Behind `:fromKey`, `:fromId`. */
  readonly from: string;
  /** Up to `:toKey`, `:toId`, included. */
  readonly to: string;
  /** Before everything, and behind it. */
  readonly start: Place;
  readonly end: Place;
  parametersOf(place: Place, bound: 'from' | 'to'): Record<string, string | number>;
}

function partOf({ order, descending }: TokenQuery, isMissing: boolean): Part {
  const { sql, type } = orderKeys[order];
  const [behind, upTo] = descending ? ['<', '>='] : ['>', '<='];
  const low = { missing: Number(isMissing), key: type === 'string' ? '' : Number.MIN_SAFE_INTEGER, id: '' };
  // Behind every text, and behind every id.
  const high = { ...low, key: type === 'string' ? '\u{10ffff}' : Number.MAX_SAFE_INTEGER, id: '~' };
  const [start, end] = descending ? [high, low] : [low, high];
  if (isMissing || order === 'created') {
    const condition = isMissing ? `${sql} IS NULL AND` : '';
    return {
      by: ['t.id'],
      from: `${condition} t.id ${behind} :fromId`,
      to: `t.id ${upTo} :toId`,
      ...{ start, end },
      parametersOf: ({ id }, bound) => ({ [`${bound}Id`]: id }),
    };
  }
  return {
    by: [sql, 't.id'],
    from: `${sql} IS NOT NULL AND (${sql}, t.id) ${behind} (:fromKey, :fromId)`,
    to: `(${sql}, t.id) ${upTo} (:toKey, :toId)`,
    ...{ start, end },
    parametersOf: ({ key, id }, bound) => ({ [`${bound}Key`]: key, [`${bound}Id`]: id }),
  };
}
