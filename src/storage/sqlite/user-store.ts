import type { UserId } from '../../core/ids.ts';
import { isShutOut, localSource, type UserRecord, type UserStore } from '../../identity/user-store.ts';
import type { SqliteDatabase } from './database.ts';
import { createRecords } from './records.ts';
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
import { createUserSearch } from './user-search.ts';

/** The user store in one SQLite file. */
export function createSqliteUserStore(database: SqliteDatabase): UserStore {
  const select = 'SELECT * FROM users WHERE removed_at IS NULL';
  const byName = database.prepare(`${select} AND name_key = ?`);
  const bySubject = database.prepare(`${select} AND source = ? AND subject = ?`);
  const byId = database.prepare(`${select} AND id = ?`);
  const list = database.prepare(`${select} AND name_key > ? ORDER BY name_key LIMIT ?`);
  const keyOf = database.prepare('SELECT name_key FROM users WHERE id = ?');
  const any = database.prepare(anyUserSql);
  const anyOfRole = database.prepare(`${anyUserSql} AND role = ?`);
  const due = database.prepare(dueSql);
  const insert = database.prepare(insertUserSql);
  const update = database.prepare(updateUserSql);
  const check = database.prepare('UPDATE users SET source_checked_at = ? WHERE id = ?');
  const checkWithGrant = database.prepare(
    'UPDATE users SET source_checked_at = ?, source_grant = ? WHERE id = ?',
  );
  const remove = database.prepare(removeUserSql);
  const endSessions = database.prepare('DELETE FROM sessions WHERE user_id = :id AND id <> :keeps');
  const voidLinks = database.prepare('DELETE FROM one_time_links WHERE user_id = ?');
  const nameOf = database.prepare('SELECT id, name FROM users WHERE id IN (SELECT value FROM json_each(?))');
  const otherAdmin = database.prepare(otherAdminSql);
  const revokeTokens = database.prepare(revokeTokensOfUserSql);
  const records = createRecords(database);

  const find = (statement: typeof byId, ...key: string[]): UserRecord | null => {
    const row = statement.get(...key);
    return row === undefined ? null : toUser(row);
  };

  const hasOtherAdmin = (id: UserId): boolean => otherAdmin.get({ id, local: localSource }) !== undefined;

  return {
    findByName: async (nameKey) => database.read(() => find(byName, nameKey)),
    findBySubject: async (source, subject) => database.read(() => find(bySubject, source, subject)),
    get: async (id) => database.read(() => find(byId, id)),
    list: async ({ limit, after }) =>
      database.read(() => {
        const afterKey = after === undefined ? '' : String(keyOf.get(after)?.['name_key'] ?? '');
        return list.all(afterKey, limit).map((row) => toUser(row));
      }),
    search: createUserSearch(database),
    hasAny: async (role) =>
      database.read(() => (role === undefined ? any.get() : anyOfRole.get(role)) !== undefined),
    insert: (user, event) =>
      database.write(() => {
        if (Number(insert.run(toUserParameters(user)).changes) === 0) return false;
        records.audit(event);
        return true;
      }),
    change: (id, patch, event, { guard, keeps } = {}) =>
      database.write(() => {
        const before = find(byId, id);
        if (before === null || guard?.(before, () => hasOtherAdmin(id)) === false) return null;
        const after: UserRecord = { ...before, ...patch, version: before.version + 1 };
        update.run(toUserParameters(after));
        if (isShutOut(after)) endSessions.run({ id, keeps: '' });
        else if (before.passwordHash !== after.passwordHash) endSessions.run({ id, keeps: keeps ?? '' });
        if (before.passwordHash !== after.passwordHash) voidLinks.run(id);
        records.journal({ kind: 'user', userId: id, version: after.version }, event.at);
        records.audit(event);
        return after;
      }),
    namesOf: async (ids) =>
      database.read(
        () =>
          new Map(nameOf.all(JSON.stringify(ids)).map((row) => [row['id'] as UserId, String(row['name'])])),
      ),
    claimForCheck: (source, checkedBefore, limit, at) =>
      database.write(() => {
        const users = due.all({ source, checkedBefore, limit }).map((row) => toUser(row));
        for (const { id } of users) check.run(at, id);
        return users;
      }, 'relaxed'),
    recordCheck: (id, at, grant) =>
      // A grant may have replaced one that its source takes no longer.
      database.write(
        () => void (grant === undefined ? check.run(at, id) : checkWithGrant.run(at, grant, id)),
        grant === undefined ? 'relaxed' : 'durable',
      ),
    remove: (id, event, guard) => {
      const work = (): UserRecord | null => {
        const before = find(byId, id);
        if (before === null || guard?.(before, () => hasOtherAdmin(id)) === false) return null;
        remove.run({ id, at: event.at });
        endSessions.run({ id, keeps: '' });
        revokeTokens.run({ id, at: event.at, actor: event.actor });
        // The user's entry covers all tokens: no cached state of theirs has the new version of the user.
        const version = before.version + 1;
        records.journal({ kind: 'user', userId: id, version }, event.at);
        records.audit(event);
        return { ...before, version };
      };
      return database.write(work);
    },
  };
}

/** Those never asked about first: null sorts before every number. */
const dueSql = `
  SELECT * FROM users
  WHERE removed_at IS NULL AND subject IS NOT NULL AND source = :source
    AND (source_checked_at IS NULL OR source_checked_at < :checkedBefore)
  ORDER BY source_checked_at LIMIT :limit`;
