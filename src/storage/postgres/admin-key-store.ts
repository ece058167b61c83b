import type { AdminKeyStore } from '../../identity/admin-key-store.ts';
import { insertKeySql, toKey, toKeyParameters } from '../admin-key-rows.ts';
import type { PostgresDatabase } from './database.ts';
import { audit } from './records.ts';
import { prepared } from './statement.ts';

const byDigest = prepared('SELECT * FROM admin_keys WHERE digest = :digest');
const lockById = prepared('SELECT * FROM admin_keys WHERE id = :id FOR UPDATE');
const list = prepared('SELECT * FROM admin_keys ORDER BY id DESC');
const insert = prepared(insertKeySql);
const revoke = prepared('UPDATE admin_keys SET revoked_at = :at WHERE id = :id');
const use = prepared(`
  UPDATE admin_keys SET last_used_at = :at WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at)`);

/** The admin keys in a PostgreSQL database. */
export function createPostgresAdminKeyStore(database: PostgresDatabase): AdminKeyStore {
  return {
    findByDigest: async (digest) => toKey(await database.row(byDigest, { digest })),
    list: async () => (await database.rows(list)).flatMap((row) => toKey(row) ?? []),
    insert: (key, event) =>
      database.write(async (transaction) => {
        await transaction.run(insert, toKeyParameters(key));
        await audit(transaction, event);
      }),
    revoke: (id, event) =>
      database.write(async (transaction) => {
        const key = toKey(await transaction.row(lockById, { id }));
        if (key === null || key.revokedAt !== null) return key;
        await transaction.run(revoke, { at: event.at, id });
        await audit(transaction, event);
        return { ...key, revokedAt: event.at };
      }),
    recordUse: (id, at) =>
      database.write(async (transaction) => void (await transaction.run(use, { id, at })), 'relaxed'),
  };
}
