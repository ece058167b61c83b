import type { SessionRecord, SessionStore } from '../../identity/session-store.ts';
import { type Columns, fromRow, insertSql, toRow } from './columns.ts';
import type { SqliteDatabase } from './database.ts';
import { createRecords } from './records.ts';
import type { Row } from './token-rows.ts';
import { joinedUserColumns, toUser } from './user-rows.ts';

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
const perUserMax = 100;

/** The session store in one SQLite file. */
export function createSqliteSessionStore(database: SqliteDatabase): SessionStore {
  const byDigest = database.prepare(`
    SELECT s.*, ${joinedUserColumns} FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.secret_digest = ? AND u.removed_at IS NULL`);
  const byId = database.prepare('SELECT * FROM sessions WHERE id = ?');
  const ofUser = database.prepare(`
    SELECT * FROM sessions WHERE user_id = ? AND ends_at > ? AND seen_at > ? ORDER BY seen_at DESC, id DESC`);
  const insert = database.prepare(insertSql('sessions', columns));
  const endOldest = database.prepare(`
    DELETE FROM sessions WHERE id IN (
      SELECT id FROM sessions WHERE user_id = ? ORDER BY seen_at DESC, id DESC LIMIT -1 OFFSET ${perUserMax}
    )`);
  const ofSignIn = database.prepare(
    'SELECT password_hash FROM users WHERE id = ? AND removed_at IS NULL AND disabled = 0 AND lapsed = 0',
  );
  const noteSignIn = database.prepare('UPDATE users SET signed_in_at = ? WHERE id = ?');
  const touch = database.prepare(`
    UPDATE sessions SET seen_at = ?, confirmed_at = ?, address = ?, draft = ? WHERE id = ?`);
  const end = database.prepare('DELETE FROM sessions WHERE id = ?');
  const endOfUser = database.prepare('DELETE FROM sessions WHERE user_id = ? AND id <> ?');
  const prune = database.prepare(pruneSql);
  const records = createRecords(database);

  const find = (id: string): SessionRecord | null => {
    const row = byId.get(id);
    return row === undefined ? null : toSession(row);
  };

  return {
    findByDigest: async (digest) =>
      database.read(() => {
        const row = byDigest.get(digest);
        return row === undefined ? null : { session: toSession(row), user: toUser(row, 'user_') };
      }),
    listOf: async (userId, now, seenSince) =>
      database.read(() => ofUser.all(userId, now, seenSince).map(toSession)),
    insert: (session, replaces, event, judged) =>
      database.write(() => {
        const user = ofSignIn.get(session.userId);
        const isSame = judged === undefined || judged.passwordHash === user?.['password_hash'];
        if (user === undefined || !isSame) return false;
        if (replaces !== null) end.run(replaces);
        insert.run(toRow(columns, session));
        endOldest.run(session.userId);
        noteSignIn.run(session.createdAt, session.userId);
        records.audit(event);
        return true;
      }),
    touch: (id, patch) =>
      database.write(() => {
        const before = find(id);
        if (before === null) return false;
        const { seenAt, confirmedAt, address, draft } = { ...before, ...patch };
        touch.run(seenAt, confirmedAt, address, draft, id);
        return true;
      }, 'relaxed'),
    end: (id, userId, event) =>
      database.write(() => {
        const session = find(id);
        if (session?.userId !== userId) return null;
        end.run(id);
        records.audit(event);
        return session;
      }),
    endAll: (userId, except, event) =>
      database.write(() => {
        const ended = Number(endOfUser.run(userId, except ?? '').changes);
        if (ended > 0) records.audit(event);
        return ended;
      }),
    prune: (now, seenSince, limit) =>
      database.write(() => Number(prune.run({ now, seenSince, limit }).changes), 'relaxed'),
  };
}

/** Two indexes, one for each way in which a session is over. */
const pruneSql = `
  DELETE FROM sessions WHERE rowid IN (
    SELECT rowid FROM sessions WHERE ends_at <= :now OR seen_at <= :seenSince LIMIT :limit
  )`;

function toSession(row: Row): SessionRecord {
  return fromRow(columns, row);
}
