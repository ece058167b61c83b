import type { SessionRecord, SessionStore } from '../../identity/session-store.ts';
import {
  insertSessionSql,
  sessionByDigestSql,
  sessionsOfUserSql,
  sessionsPerUserMax,
  toSession,
  toSessionParameters,
  touchSessionSql,
} from '../session-rows.ts';
import { toUser } from '../user-rows.ts';
import type { SqliteDatabase } from './database.ts';
import { createRecords } from './records.ts';

/** The session store in one SQLite file. */
export function createSqliteSessionStore(database: SqliteDatabase): SessionStore {
  const byDigest = database.prepare(sessionByDigestSql);
  const byId = database.prepare('SELECT * FROM sessions WHERE id = ?');
  const ofUser = database.prepare(sessionsOfUserSql);
  const insert = database.prepare(insertSessionSql);
  const endOldest = database.prepare(`
    DELETE FROM sessions WHERE id IN (
      SELECT id FROM sessions WHERE user_id = ? ORDER BY seen_at DESC, id DESC LIMIT -1 OFFSET ${sessionsPerUserMax}
    )`);
  const ofSignIn = database.prepare(
    'SELECT password_hash FROM users WHERE id = ? AND removed_at IS NULL AND disabled = 0 AND lapsed = 0',
  );
  const noteSignIn = database.prepare('UPDATE users SET signed_in_at = ? WHERE id = ?');
  const touch = database.prepare(touchSessionSql);
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
        const row = byDigest.get({ digest });
        return row === undefined ? null : { session: toSession(row), user: toUser(row, 'user_') };
      }),
    listOf: async (userId, now, seenSince) =>
      database.read(() => ofUser.all({ userId, now, seenSince }).map(toSession)),
    insert: (session, replaces, event, judged) =>
      database.write(() => {
        const user = ofSignIn.get(session.userId);
        const isSame = judged === undefined || judged.passwordHash === user?.['password_hash'];
        if (user === undefined || !isSame) return false;
        if (replaces !== null) end.run(replaces);
        insert.run(toSessionParameters(session));
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
        touch.run({ seenAt, confirmedAt, address, draft, id });
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
