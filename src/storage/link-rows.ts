import type { LinkRecord } from '../identity/one-time-links.ts';
import { type Columns, fromRow, insertSql, toRow } from './columns.ts';
import type { Row } from './row.ts';

const columns: Columns<LinkRecord> = [
  ['digest', 'digest'],
  ['purpose', 'purpose'],
  ['user_id', 'userId'],
  ['expires_at', 'expiresAt'],
];

/** Inserts a whole link; takes `toLinkParameters`. */
export const insertLinkSql: string = insertSql('one_time_links', columns);

/** A condition: the link `:digest` can be used at `:now`. */
export const linkUsableSql = 'digest = :digest AND used_at IS NULL AND expires_at > :now';

/** A link as named parameters. */
export function toLinkParameters(link: LinkRecord): Record<string, string | number | null> {
  return toRow(columns, link);
}

/** A row of `one_time_links` as the rest of the product knows it. */
export function toLink(row: Row | undefined): LinkRecord | null {
  return row === undefined ? null : fromRow(columns, row);
}
