import type { AdminKeyStore } from '../../identity/admin-key-store.ts';
import { insertKeySql, toKey, toKeyParameters } from '../admin-key-rows.ts';
import type { SqliteDatabase } from './database.ts';
import { createRecords } from './records.ts';

/** The admin keys in one SQLite file. */
export function createSqliteAdminKeyStore(database: SqliteDatabase): AdminKeyStore {
  const byDigest = database.prepare('SELECT * FROM admin_keys WHERE digest = ?');
  const byId = database.prepare('SELECT * FROM admin_keys WHERE id = ?');
  const list = database.prepare('SELECT * FROM admin_keys ORDER BY id DESC');
  const insert = database.prepare(insertKeySql);
  const revoke = database.prepare('UPDATE admin_keys SET revoked_at = ? WHERE id = ?');
  const use = database.prepare(
    'UPDATE admin_keys SET last_used_at = :at WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at)',
  );
  const records = createRecords(database);
  return {
    findByDigest: async (digest) => database.read(() => toKey(byDigest.get(digest))),
    list: async () => database.read(() => list.all().flatMap((row) => toKey(row) ?? [])),
    insert: (key, event) =>
      database.write(() => {
        insert.run(toKeyParameters(key));
        records.audit(event);
      }),
    revoke: (id, event) =>
      database.write(() => {
        const key = toKey(byId.get(id));
        if (key === null || key.revokedAt !== null) return key;
        revoke.run(event.at, id);
        records.audit(event);
        return { ...key, revokedAt: event.at };
      }),
    recordUse: (id, at) => database.write(() => void use.run({ id, at }), 'relaxed'),
  };
}
