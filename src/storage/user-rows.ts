import { foldUserName } from '../core/user-name.ts';
import type { UserRecord } from '../identity/user-store.ts';
import type { Row } from './row.ts';

/** Each column of `users` with the field it holds. */
const columns: readonly (readonly [column: string, field: keyof UserRecord])[] = [
  ['id', 'id'],
  ['name', 'name'],
  ['name_key', 'nameKey'],
  ['display_name', 'displayName'],
  ['email', 'email'],
  ['language', 'language'],
  ['role', 'role'],
  ['source', 'source'],
  ['subject', 'subject'],
  ['password_hash', 'passwordHash'],
  ['disabled', 'disabled'],
  ['lapsed', 'lapsed'],
  ['may_have_tokens', 'mayHaveTokens'],
  ['created_at', 'createdAt'],
  ['signed_in_at', 'signedInAt'],
  ['source_grant', 'sourceGrant'],
  ['source_checked_at', 'sourceCheckedAt'],
  ['version', 'version'],
];
const names = [...columns.map(([column]) => column), 'search_key'];

/** Columns of a user from `users u`, for SELECT; those of a join keep clear of others by their beginning, `user_`. */
export const joinedUserColumns: string = columns
  .map(([column]) => `u.${column} AS user_${column}`)
  .join(', ');

/** Inserts a whole user unless its name, or what its source calls it, is taken; takes `toUserParameters`. */
export const insertUserSql: string = `
  INSERT INTO users (${names.join(', ')}) VALUES (${names.map((name) => `:${name}`).join(', ')})
  ON CONFLICT DO NOTHING`;

/** Writes every field of a user that exists; takes `toUserParameters`. */
export const updateUserSql: string = `
  UPDATE users SET ${names.map((name) => `${name} = :${name}`).join(', ')} WHERE id = :id`;

/** A user as named parameters of the two statements above. */
export function toUserParameters(user: UserRecord): Record<string, string | number | null> {
  const fields = columns.map(([column, field]) => [column, toSql(user[field])] as const);
  return { ...Object.fromEntries(fields), search_key: searchKey(user) };
}

/** What searches look in: one name a line, so that what is typed into one line never spans two. */
export function searchKey({
  nameKey,
  displayName,
  email,
}: Pick<UserRecord, 'nameKey' | 'displayName' | 'email'>): string {
  return [nameKey, foldUserName(displayName ?? ''), foldUserName(email ?? '')].join('\n');
}

function toSql(value: UserRecord[keyof UserRecord]): string | number | null {
  return typeof value === 'boolean' ? Number(value) : value;
}

/** A row of `users`, or one of `joinedUserColumns`, as the rest of the product knows it. */
export function toUser(row: Row, beginning: '' | 'user_' = ''): UserRecord {
  const fields = Object.fromEntries(columns.map(([column, field]) => [field, row[beginning + column]]));
  const mayHaveTokens = fields['mayHaveTokens'];
  return {
    ...fields,
    disabled: fields['disabled'] === 1,
    lapsed: fields['lapsed'] === 1,
    mayHaveTokens: mayHaveTokens === null ? null : mayHaveTokens === 1,
    // The tables keep each column's type; the list above names a column for each field.
  } as unknown as UserRecord;
}

/** Finds any user who is not shut out; more conditions may go behind it. */
export const anyUserSql = 'SELECT 1 FROM users WHERE removed_at IS NULL AND disabled = 0 AND lapsed = 0';

/** Finds another user than `:id` in the words of `canAdminister`; `:local` is the source of local users. */
export const otherAdminSql: string = `${anyUserSql} AND role = 'admin' AND id <> :id
  AND (source <> :local OR password_hash IS NOT NULL)`;

/** Its names stay for the tokens and the audit trail, which name it; what else is known of the person goes. */
export const removeUserSql = `
  UPDATE users SET
    removed_at = :at, name_key = NULL, search_key = '', email = NULL, password_hash = NULL, source_grant = NULL,
    version = version + 1
  WHERE id = :id`;

/** Revokes the tokens of the user `:id`. */
export const revokeTokensOfUserSql = `
  UPDATE tokens SET revoked_at = :at, revoked_by = :actor, revoked_why = 'user removed', version = version + 1
  WHERE user_id = :id AND revoked_at IS NULL`;
