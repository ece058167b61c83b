import type { DueWarning, WarningChannelName } from '../tokens/warning-store.ts';
import type { Row } from './row.ts';
import {
  ownedTokenColumns,
  ownedTokenSource,
  ownerShutOutSql,
  tokenEndedSql,
  toOwnedToken,
} from './token-rows.ts';

/** One day. */
export const dayMs: number = 24 * 3_600_000;
const triesMax = 5;
const firstRetryMs = 10 * 60_000;

/** A condition on a token `t`: it may be warned of. */
const endingSql = 't.expires_at IS NOT NULL AND t.revoked_at IS NULL';

/** Tokens looked at by one statement. */
const rowsAtOnce = 2_000;

/**
 * Finds the last of so many that end behind `(:fromAt, :fromId)`, in the order of their ends. Without a bound: with one
 * PostgreSQL may expect less than so many, and sorts all of them.
 */
export const portionEndSql: string = `
  SELECT t.expires_at AS at, t.id AS id FROM tokens t
  WHERE ${endingSql} AND (t.expires_at, t.id) > (:fromAt, :fromId)
  ORDER BY t.expires_at, t.id LIMIT 1 OFFSET ${rowsAtOnce - 1}`;

/** Behind every id. */
export const behindAllIds = '~';

/** A part of the tokens that end between two moments: those behind `(fromAt, fromId)` up to `(toAt, toId)`. */
export interface Portion {
  readonly fromAt: number;
  readonly fromId: string;
  readonly toAt: number;
  readonly toId: string;
}

/** Whether a claim `w` that was not concluded may be had again. */
const againSql = `w.sent_at IS NULL AND w.tries < ${triesMax}
  AND w.claimed_at + ${firstRetryMs} * (1 << (2 * (w.tries - 1))) <= :now`;

/** Finds what may be claimed of the tokens behind `(:fromAt, :fromId)` up to `(:toAt, :toId)`, by their ends. */
export const dueWarningsSql: string = `
  SELECT ${ownedTokenColumns}, u.display_name AS display_name, u.email AS email, u.language AS language
  FROM ${ownedTokenSource}
    LEFT JOIN expiry_warnings w
      ON w.token_id = t.id AND w.expires_at = t.expires_at AND w.days = :days AND w.channel = :channel
  WHERE ${endingSql}
    AND (t.expires_at, t.id) > (:fromAt, :fromId) AND (t.expires_at, t.id) <= (:toAt, :toId)
    AND t.enabled = 1 AND NOT EXISTS (${ownerShutOutSql}) AND (${tokenEndedSql}) IS NOT TRUE
    AND t.expires_at - t.created_at > :untilMs
    AND (t.sliding_ms IS NULL OR t.sliding_ms > :untilMs OR t.expires_at = t.until)
    AND (w.token_id IS NULL OR ${againSql})
  ORDER BY t.expires_at, t.id LIMIT :limit`;

/** Claims one, unless somebody else has. */
export const takeWarningSql: string = `
  INSERT INTO expiry_warnings AS w (token_id, expires_at, days, channel, claimed_at, tries)
  VALUES (:id, :at, :days, :channel, :now, 1)
  ON CONFLICT (token_id, expires_at, days, channel) DO UPDATE SET claimed_at = :now, tries = w.tries + 1
  WHERE ${againSql}`;

/** A row of `dueWarningsSql` as the rest of the product knows it. */
export function toDueWarning(row: Row, days: number, channel: WarningChannelName): DueWarning {
  const owner = {
    displayName: row['display_name'] as string | null,
    email: row['email'] as string | null,
    language: row['language'] as 'en' | 'de' | null,
  };
  return { owned: toOwnedToken(row), owner, days, channel };
}
