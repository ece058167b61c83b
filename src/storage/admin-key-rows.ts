import type { AdminKeyRecord, AdminKeyScope } from '../identity/admin-key-store.ts';
import { type Columns, fromRow, insertSql, toRow } from './columns.ts';
import type { Row } from './row.ts';

type KeptKey = Omit<AdminKeyRecord, 'scopes'> & { readonly scopes: string };

const columns: Columns<KeptKey> = [
  ['id', 'id'],
  ['name', 'name'],
  ['digest', 'digest'],
  ['prefix', 'prefix'],
  ['scopes', 'scopes'],
  ['created_at', 'createdAt'],
  ['created_by', 'createdBy'],
  ['expires_at', 'expiresAt'],
  ['revoked_at', 'revokedAt'],
  ['last_used_at', 'lastUsedAt'],
];

/** Inserts a whole key; takes `toKeyParameters`. */
export const insertKeySql: string = insertSql('admin_keys', columns);

/** A key as named parameters. */
export function toKeyParameters(key: AdminKeyRecord): Record<string, string | number | null> {
  return toRow(columns, { ...key, scopes: JSON.stringify(key.scopes) });
}

/** A row of `admin_keys` as the rest of the product knows it. */
export function toKey(row: Row | undefined): AdminKeyRecord | null {
  if (row === undefined) return null;
  const kept = fromRow(columns, row);
  return { ...kept, scopes: JSON.parse(kept.scopes) as readonly AdminKeyScope[] };
}
