import type { UserId } from '../../core/ids.ts';
import type { UserRecord, UserStore } from '../../identity/user-store.ts';
import type { SqliteDatabase } from './database.ts';
import { createRecords } from './records.ts';
import type { Row } from './token-rows.ts';

/** The user store in one SQLite file. */
export function createSqliteUserStore(database: SqliteDatabase): UserStore {
  const select = 'SELECT * FROM users WHERE removed_at IS NULL';
  const byName = database.prepare(`${select} AND name_key = ?`);
  const byId = database.prepare(`${select} AND id = ?`);
  const list = database.prepare(`${select} AND name_key > ? ORDER BY name_key LIMIT ?`);
  const keyOf = database.prepare('SELECT name_key FROM users WHERE id = ?');
  const insert = database.prepare(`
    INSERT INTO users (id, name, name_key, password_hash, disabled, created_at, version)
    VALUES (:id, :name, :nameKey, :passwordHash, :disabled, :createdAt, :version)
    ON CONFLICT (name_key) DO NOTHING`);
  const update = database.prepare(
    'UPDATE users SET password_hash = ?, disabled = ?, version = ? WHERE id = ?',
  );
  const remove = database.prepare(`
    UPDATE users SET removed_at = :at, name_key = NULL, password_hash = NULL, version = version + 1 WHERE id = :id`);
  const revokeTokens = database.prepare(`
    UPDATE tokens SET revoked_at = :at, revoked_by = :actor, revoked_why = 'user removed', version = version + 1
    WHERE user_id = :id AND revoked_at IS NULL`);
  const records = createRecords(database);

  const find = (statement: typeof byId, key: string): UserRecord | null => {
    const row = statement.get(key);
    return row === undefined ? null : toUser(row);
  };

  return {
    findByName: async (nameKey) => database.read(() => find(byName, nameKey)),
    get: async (id) => database.read(() => find(byId, id)),
    list: async ({ limit, after }) =>
      database.read(() => {
        const afterKey = after === undefined ? '' : String(keyOf.get(after)?.['name_key'] ?? '');
        return list.all(afterKey, limit).map(toUser);
      }),
    insert: (user, event) =>
      database.write(() => {
        const { changes } = insert.run({ ...user, disabled: user.disabled ? 1 : 0 });
        if (Number(changes) === 0) return false;
        records.audit(event);
        return true;
      }),
    change: (id, patch, event) =>
      database.write(() => {
        const before = find(byId, id);
        if (before === null) return null;
        const after: UserRecord = { ...before, ...patch, version: before.version + 1 };
        update.run(after.passwordHash, after.disabled ? 1 : 0, after.version, id);
        records.journal({ kind: 'user', userId: id, version: after.version }, event.at);
        records.audit(event);
        return after;
      }),
    remove: (id, event) =>
      database.write(() => {
        const before = find(byId, id);
        if (before === null) return null;
        remove.run({ id, at: event.at });
        revokeTokens.run({ id, at: event.at, actor: event.actor });
        // The user's entry covers all tokens: no cached state of theirs has the new version of the user.
        const version = before.version + 1;
        records.journal({ kind: 'user', userId: id, version }, event.at);
        records.audit(event);
        return { ...before, version };
      }),
  };
}

function toUser(row: Row): UserRecord {
  return {
    id: String(row['id']) as UserId,
    name: String(row['name']),
    nameKey: String(row['name_key']),
    passwordHash: row['password_hash'] as string | null,
    disabled: row['disabled'] === 1,
    createdAt: Number(row['created_at']),
    version: Number(row['version']),
  };
}
