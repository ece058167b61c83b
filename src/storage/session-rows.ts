import type { SessionRecord } from '../identity/session-store.ts';
import { type Columns, fromRow, insertSql, toRow } from './columns.ts';
import type { Row } from './row.ts';
import { joinedUserColumns } from './user-rows.ts';

const columns: Columns<SessionRecord> = [
  ['id', 'id'],
  ['user_id', 'userId'],
  ['secret_digest', 'secretDigest'],
  ['source', 'source'],
  ['created_at', 'createdAt'],
  ['seen_at', 'seenAt'],
  ['ends_at', 'endsAt'],
  ['confirmed_at', 'confirmedAt'],
  ['address', 'address'],
  ['client', 'client'],
  ['draft', 'draft'],
  ['sign_out', 'signOut'],
];

/** More browsers than anybody has: whoever signs in by a script does not fill the store. */
export const sessionsPerUserMax = 100;

/** Finds the session `:digest` with its user, whose columns begin with `user_`. */
export const sessionByDigestSql: string = `
  SELECT s.*, ${joinedUserColumns} FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.secret_digest = :digest AND u.removed_at IS NULL`;

/** Finds the sessions of `:userId` that count, most recently seen first. */
export const sessionsOfUserSql = `
  SELECT * FROM sessions WHERE user_id = :userId AND ends_at > :now AND seen_at > :seenSince
  ORDER BY seen_at DESC, id DESC`;

/** Inserts a whole session; takes `toSessionParameters`. */
export const insertSessionSql: string = insertSql('sessions', columns);

/** Writes what changes of a session as it is used. */
export const touchSessionSql = `
  UPDATE sessions SET seen_at = :seenAt, confirmed_at = :confirmedAt, address = :address, draft = :draft
  WHERE id = :id`;

/** A session as named parameters. */
export function toSessionParameters(session: SessionRecord): Record<string, string | number | null> {
  return toRow(columns, session);
}

/** A row of `sessions` as the rest of the product knows it. */
export function toSession(row: Row): SessionRecord {
  return fromRow(columns, row);
}
