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
import type { PostgresDatabase } from './database.ts';
import { audit } from './records.ts';
import { prepared } from './statement.ts';

const byDigest = prepared(sessionByDigestSql);
const ofUser = prepared(sessionsOfUserSql);
const lockById = prepared('SELECT * FROM sessions WHERE id = :id FOR UPDATE');
/** Held to the end: who is shut out meanwhile, or gets another password, finds this session and ends it. */
const lockUser = prepared(`
  SELECT password_hash FROM users
  WHERE id = :id AND removed_at IS NULL AND disabled = 0 AND lapsed = 0 FOR NO KEY UPDATE`);
const insert = prepared(insertSessionSql);
const endOldest = prepared(`
  DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE user_id = :userId ORDER BY seen_at DESC, id DESC OFFSET ${sessionsPerUserMax}
  )`);
const noteSignIn = prepared('UPDATE users SET signed_in_at = :at WHERE id = :id');
const touch = prepared(touchSessionSql);
const end = prepared('DELETE FROM sessions WHERE id = :id');
const endOwn = prepared('DELETE FROM sessions WHERE id = :id AND user_id = :userId RETURNING *');
const endOfUser = prepared('DELETE FROM sessions WHERE user_id = :userId AND id <> :except');
const prune = prepared(`
  DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE ends_at <= :now OR seen_at <= :seenSince LIMIT :limit
  )`);

/** The session store in a PostgreSQL database. */
export function createPostgresSessionStore(database: PostgresDatabase): SessionStore {
  return {
    async findByDigest(digest) {
      const row = await database.row(byDigest, { digest });
      return row === undefined ? null : { session: toSession(row), user: toUser(row, 'user_') };
    },
    listOf: async (userId, now, seenSince) =>
      (await database.rows(ofUser, { userId, now, seenSince })).map(toSession),
    insert: (session, replaces, event, judged) =>
      database.write(async (transaction) => {
        const user = await transaction.row(lockUser, { id: session.userId });
        const isSame = judged === undefined || judged.passwordHash === user?.['password_hash'];
        if (user === undefined || !isSame) return false;
        if (replaces !== null) await transaction.run(end, { id: replaces });
        await transaction.run(insert, toSessionParameters(session));
        await transaction.run(endOldest, { userId: session.userId });
        await transaction.run(noteSignIn, { at: session.createdAt, id: session.userId });
        await audit(transaction, event);
        return true;
      }),
    touch: (id, patch) =>
      database.write(async (transaction) => {
        const row = await transaction.row(lockById, { id });
        if (row === undefined) return false;
        const { seenAt, confirmedAt, address, draft }: SessionRecord = { ...toSession(row), ...patch };
        await transaction.run(touch, { seenAt, confirmedAt, address, draft, id });
        return true;
      }, 'relaxed'),
    end: (id, userId, event) =>
      database.write(async (transaction) => {
        const row = await transaction.row(endOwn, { id, userId });
        if (row === undefined) return null;
        await audit(transaction, event);
        return toSession(row);
      }),
    endAll: (userId, except, event) =>
      database.write(async (transaction) => {
        const ended = await transaction.run(endOfUser, { userId, except: except ?? '' });
        if (ended > 0) await audit(transaction, event);
        return ended;
      }),
    prune: (now, seenSince, limit) =>
      database.write((transaction) => transaction.run(prune, { now, seenSince, limit }), 'relaxed'),
  };
}
