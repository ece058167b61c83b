import type { Row } from './row.ts';
import type { OwnedToken, TokenRecord } from '../tokens/token-store.ts';

/** Each column of `tokens` with the field it holds, in the order of the table. */
const columns: readonly (readonly [column: string, field: keyof TokenRecord])[] = [
  ['id', 'id'],
  ['user_id', 'userId'],
  ['name', 'name'],
  ['digest', 'digest'],
  ['pepper_id', 'pepperId'],
  ['prefix', 'prefix'],
  ['scopes', 'scopes'],
  ['created_at', 'createdAt'],
  ['created_by', 'createdBy'],
  ['created_from', 'createdFrom'],
  ['expires_at', 'expiresAt'],
  ['sliding_ms', 'slidingMs'],
  ['until', 'until'],
  ['not_before', 'notBefore'],
  ['enabled', 'enabled'],
  ['networks', 'networks'],
  ['delete_unused_ms', 'deleteUnusedMs'],
  ['revoked_at', 'revokedAt'],
  ['revoked_by', 'revokedBy'],
  ['revoked_why', 'revokedWhy'],
  ['last_used_at', 'lastUsedAt'],
  ['last_used_address', 'lastUsedAddress'],
  ['last_used_client', 'lastUsedClient'],
  ['version', 'version'],
];

/** The columns of `tokens`, in the order of the table. */
export const tokenColumns: readonly string[] = columns.map(([column]) => column);

/** Columns of a token joined with its owner, for SELECT. */
export const ownedTokenColumns: string = [
  ...columns.map(([column]) => `t.${column}`),
  'u.name AS owner_name',
  '(u.disabled = 1 OR u.lapsed = 1 OR u.removed_at IS NOT NULL) AS owner_shut_out',
  'u.version AS owner_version',
].join(', ');

/** Where those columns come from. */
export const ownedTokenSource = 'tokens t JOIN users u ON u.id = t.user_id';

/** A condition on a token `t`: it has passed its end, or was unused for too long, at `:now`. Null where it has no end. */
export const tokenEndedSql =
  't.expires_at <= :now OR coalesce(t.last_used_at, t.created_at) + t.delete_unused_ms <= :now';

/** Finds a row where the owner of a token `t` is shut out; worded as the index that serves it. */
export const ownerShutOutSql =
  'SELECT 1 FROM users u WHERE u.id = t.user_id AND (u.disabled = 1 OR u.lapsed = 1)';

/** Finds the peppers that unrevoked tokens need; the same in every schema that there was. */
export const peppersInUseSql = `
  SELECT p.id FROM peppers p
  WHERE EXISTS (SELECT 1 FROM tokens t WHERE t.pepper_id = p.id AND t.revoked_at IS NULL)`;

/** In which of four states tokens are counted. */
export type TokenState = 'active' | 'disabled' | 'expired' | 'revoked';

/** The state of a token `t` at `:now`. */
export const tokenStateSql: string = `
  CASE
    WHEN t.revoked_at IS NOT NULL THEN 'revoked'
    WHEN ${tokenEndedSql} THEN 'expired'
    WHEN t.enabled = 0 OR EXISTS (${ownerShutOutSql}) THEN 'disabled'
    ELSE 'active'
  END`;

/** Inserts a whole token; takes `toParameters`. */
export const insertTokenSql: string = `
  INSERT INTO tokens (${columns.map(([column]) => column).join(', ')})
  VALUES (${columns.map(([column]) => `:${column}`).join(', ')})`;

/** Writes every field of a token that exists; takes `toParameters`. */
export const updateTokenSql: string = `
  UPDATE tokens SET ${columns.map(([column]) => `${column} = :${column}`).join(', ')} WHERE id = :id`;

/** A token as named parameters of the two statements above. */
export function toParameters(token: TokenRecord): Record<string, string | number | null> {
  return Object.fromEntries(columns.map(([column, field]) => [column, toSql(token[field])]));
}

function toSql(value: TokenRecord[keyof TokenRecord]): string | number | null {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

/** A row of `ownedTokenColumns` as the rest of the product knows it. */
export function toOwnedToken(row: Row): OwnedToken {
  const fields = Object.fromEntries(columns.map(([column, field]) => [field, row[column]]));
  const token = {
    ...fields,
    scopes: JSON.parse(String(row['scopes'])) as string[],
    networks: JSON.parse(String(row['networks'])) as string[],
    enabled: row['enabled'] === 1,
    // The tables keep each column's type; the list above names a column for each field.
  } as unknown as TokenRecord;
  return {
    token,
    owner: {
      id: token.userId,
      name: String(row['owner_name']),
      disabled: row['owner_shut_out'] === 1 || row['owner_shut_out'] === true,
      version: Number(row['owner_version']),
    },
  };
}
