import type { TokenOrder, TokenQuery } from '../tokens/token-store.ts';
import { type Position, readCursor } from './cursor.ts';
import { ownerShutOutSql, tokenEndedSql } from './token-rows.ts';

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

/** For ORDER BY. */
export function direction(descending: boolean): 'ASC' | 'DESC' {
  return descending ? 'DESC' : 'ASC';
}

/** A condition on a token `t` for each state, at `:now` where that matters; and for all but revoked ones. */
export const tokenStates: Readonly<Record<NonNullable<TokenQuery['state']> | 'unrevoked', string>> = {
  unrevoked: 't.revoked_at IS NULL',
  revoked: 't.revoked_at IS NOT NULL',
  off: 't.revoked_at IS NULL AND t.enabled = 0',
  expired: `t.revoked_at IS NULL AND t.enabled = 1 AND (${tokenEndedSql}) IS TRUE`,
  active: `t.revoked_at IS NULL AND t.enabled = 1 AND (${tokenEndedSql}) IS NOT TRUE AND NOT EXISTS (${ownerShutOutSql})`,
};
