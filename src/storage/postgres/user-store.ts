import type { UserId } from '../../core/ids.ts';
import {
  isShutOut,
  localSource,
  type UserGuard,
  type UserRecord,
  type UserStore,
} from '../../identity/user-store.ts';
import {
  anyUserSql,
  insertUserSql,
  otherAdminSql,
  removeUserSql,
  revokeTokensOfUserSql,
  toUser,
  toUserParameters,
  updateUserSql,
} from '../user-rows.ts';
import type { PostgresDatabase, Questions } from './database.ts';
import { audit, journal } from './records.ts';
import { prepared, type Statement } from './statement.ts';
import { createUserSearch } from './user-search.ts';

const select = 'SELECT * FROM users WHERE removed_at IS NULL';
const byName = prepared(`${select} AND name_key = :nameKey`);
const bySubject = prepared(`${select} AND source = :source AND subject = :subject`);
const byId = prepared(`${select} AND id = :id`);
const lockById = prepared(`${select} AND id = :id FOR NO KEY UPDATE`);
const list = prepared(`
  ${select} AND name_key > coalesce((SELECT name_key FROM users WHERE id = :after), '') ORDER BY name_key LIMIT :limit`);
const any = prepared(`${anyUserSql} LIMIT 1`);
const anyOfRole = prepared(`${anyUserSql} AND role = :role LIMIT 1`);
/** Those never asked about first. What another process is just claiming is left to it. */
const due = prepared(`
  ${select} AND subject IS NOT NULL AND source = :source
    AND (source_checked_at IS NULL OR source_checked_at < :checkedBefore)
  ORDER BY source_checked_at NULLS FIRST LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED`);
const insert = prepared(insertUserSql);
const update = prepared(updateUserSql);
const check = prepared('UPDATE users SET source_checked_at = :at WHERE id = ANY(:ids::text[])');
const checkWithGrant = prepared(
  'UPDATE users SET source_checked_at = :at, source_grant = :grant WHERE id = :id',
);
const remove = prepared(removeUserSql);
const endSessions = prepared('DELETE FROM sessions WHERE user_id = :id AND id <> :keeps');
const voidLinks = prepared('DELETE FROM one_time_links WHERE user_id = :id');
const nameOf = prepared('SELECT id, name FROM users WHERE id = ANY(:ids::text[])');
const otherAdmin = prepared(`${otherAdminSql} LIMIT 1`);
const revokeTokens = prepared(revokeTokensOfUserSql);
/** "Latchkey" and "admin": who asks for other admins waits for others who do, so that not both find each other. */
const lockAdmins = prepared('SELECT pg_advisory_xact_lock(1281456995, 1633971561)');

/** The user store in a PostgreSQL database. */
export function createPostgresUserStore(database: PostgresDatabase): UserStore {
  const find = async (
    statement: Statement,
    key: Readonly<Record<string, string>>,
  ): Promise<UserRecord | null> => {
    const row = await database.row(statement, key);
    return row === undefined ? null : toUser(row);
  };
  return {
    findByName: (nameKey) => find(byName, { nameKey }),
    findBySubject: (source, subject) => find(bySubject, { source, subject }),
    get: (id) => find(byId, { id }),
    list: async ({ limit, after = '' }) =>
      (await database.slowly.rows(list, { after, limit })).map((row) => toUser(row)),
    search: createUserSearch(database),
    hasAny: async (role) =>
      (await (role === undefined ? database.row(any) : database.row(anyOfRole, { role }))) !== undefined,
    insert: (user, event) =>
      database.write(async (transaction) => {
        if ((await transaction.run(insert, toUserParameters(user))) === 0) return false;
        await audit(transaction, event);
        return true;
      }),
    change: (id, patch, event, { guard, keeps } = {}) =>
      database.write(async (transaction) => {
        const before = await lockUser(transaction, id, guard);
        if (before === null) return null;
        const after: UserRecord = { ...before, ...patch, version: before.version + 1 };
        await transaction.run(update, toUserParameters(after));
        const hasNewPassword = before.passwordHash !== after.passwordHash;
        if (isShutOut(after)) await transaction.run(endSessions, { id, keeps: '' });
        else if (hasNewPassword) await transaction.run(endSessions, { id, keeps: keeps ?? '' });
        if (hasNewPassword) await transaction.run(voidLinks, { id });
        await audit(transaction, event);
        await journal(transaction, [{ kind: 'user', userId: id, version: after.version }], [event.at]);
        return after;
      }),
    async namesOf(ids) {
      const rows = await database.rows(nameOf, { ids });
      return new Map(rows.map((row) => [row['id'] as UserId, String(row['name'])]));
    },
    claimForCheck: (source, checkedBefore, limit, at) =>
      database.write(async (transaction) => {
        const rows = await transaction.rows(due, { source, checkedBefore, limit });
        const users = rows.map((row) => toUser(row));
        await transaction.run(check, { at, ids: users.map(({ id }) => id) });
        return users;
      }, 'relaxed'),
    recordCheck: (id, at, grant) =>
      // A grant may have replaced one that its source takes no longer.
      database.write(
        async (transaction) => {
          if (grant === undefined) await transaction.run(check, { at, ids: [id] });
          else await transaction.run(checkWithGrant, { at, grant, id });
        },
        grant === undefined ? 'relaxed' : 'durable',
      ),
    remove: (id, event, guard) =>
      database.write(async (transaction) => {
        const before = await lockUser(transaction, id, guard);
        if (before === null) return null;
        await transaction.run(remove, { id, at: event.at });
        await transaction.run(endSessions, { id, keeps: '' });
        await transaction.run(revokeTokens, { id, at: event.at, actor: event.actor });
        await audit(transaction, event);
        // The user's entry covers all tokens: no cached state of theirs has the new version of the user.
        const version = before.version + 1;
        await journal(transaction, [{ kind: 'user', userId: id, version }], [event.at]);
        return { ...before, version };
      }),
  };
}

/** The user as it is until the transaction ends; null where there is none or the guard says no. */
async function lockUser(
  transaction: Questions,
  id: UserId,
  guard: UserGuard | undefined,
): Promise<UserRecord | null> {
  if (guard !== undefined) await transaction.row(lockAdmins);
  const row = await transaction.row(lockById, { id });
  if (row === undefined) return null;
  const user = toUser(row);
  if (guard === undefined) return user;
  const hasOther = (await transaction.row(otherAdmin, { id, local: localSource })) !== undefined;
  return guard(user, () => hasOther) ? user : null;
}
