import type { TokenOrder, TokenQuery } from '../../tokens/token-store.ts';
import { type Position, readCursor } from '../cursor.ts';
import { foldText } from '../fold-text.ts';
import { ownerShutOutSql, tokenEndedSql } from '../token-rows.ts';

/** What a token is sorted by; `missing` is 1 where it has no key and therefore comes last, whatever the direction. */
export interface Place {
  readonly missing: number;
  readonly key: string | number;
  readonly id: string;
}

/** What each order sorts a token `t` by; ties go by id. Each has an index of (key, id). */
export const orderKeys: Readonly<
  Record<TokenOrder, { readonly sql: string; readonly type: 'string' | 'number' }>
> = {
  created: { sql: 't.id', type: 'string' },
  name: { sql: 'lower(t.name)', type: 'string' },
  used: { sql: 't.last_used_at', type: 'number' },
  expires: { sql: 't.expires_at', type: 'number' },
};

/** The columns of a place. */
export function placeSql(order: TokenOrder): string {
  const { sql } = orderKeys[order];
  return `${sql} IS NULL AS missing, coalesce(${sql}, 0) AS key, t.id AS id`;
}

/** The cursor's position behind a place. */
export function positionOf({ order, descending }: TokenQuery, { missing, key, id }: Place): Position {
  return [order, Number(descending), missing, key, id];
}

/** The place of a cursor; null where no page of this order gave it. */
export function readPlace({ order, descending }: TokenQuery, cursor: string): Place | null {
  const position = readCursor(cursor, ['string', 'number', 'number', orderKeys[order].type, 'string']);
  if (position === null || position[0] !== order || position[1] !== Number(descending)) return null;
  return { missing: Number(position[2]), key: position[3] ?? '', id: String(position[4]) };
}

/** Sorts places as SQLite would: texts by their bytes. */
export function comparePlaces(descending: boolean): (one: Place, other: Place) => number {
  const sign = descending ? -1 : 1;
  return (one, other) =>
    one.missing - other.missing || sign * (compareKeys(one.key, other.key) || compareKeys(one.id, other.id));
}

function compareKeys(one: string | number, other: string | number): number {
  return typeof one === 'string'
    ? Buffer.compare(Buffer.from(one), Buffer.from(String(other)))
    : one - Number(other);
}

/** For ORDER BY. */
export function direction(descending: boolean): 'ASC' | 'DESC' {
  return descending ? 'DESC' : 'ASC';
}

/** Which tokens `t` are meant, apart from their owner. */
export interface Conditions {
  readonly where: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

const states: Readonly<Record<NonNullable<TokenQuery['state']> | 'unrevoked', string>> = {
  unrevoked: 't.revoked_at IS NULL',
  revoked: 't.revoked_at IS NOT NULL',
  off: 't.revoked_at IS NULL AND t.enabled = 0',
  expired: `t.revoked_at IS NULL AND t.enabled = 1 AND (${tokenEndedSql}) IS TRUE`,
  active: `t.revoked_at IS NULL AND t.enabled = 1 AND (${tokenEndedSql}) IS NOT TRUE AND NOT EXISTS (${ownerShutOutSql})`,
};

/** What the query asks of a token. */
export function toConditions({ text, state }: TokenQuery, now: number): Conditions {
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
