import type { RepeatedRequest, RepeatedRequests } from '../../management/repeated-requests.ts';
import { judgeRepeated } from '../repeated-request-rows.ts';
import type { PostgresDatabase, Questions } from './database.ts';
import { type Parameters, prepared } from './statement.ts';

const one = 'caller = :caller AND key_digest = :keyDigest';
const note = prepared(`
  INSERT INTO repeated_requests (caller, key_digest, request_digest, at, answer)
  VALUES (:caller, :keyDigest, :requestDigest, :now, NULL) ON CONFLICT DO NOTHING`);
const lock = prepared(`SELECT * FROM repeated_requests WHERE ${one} FOR UPDATE`);
const noteAnew = prepared(`
  UPDATE repeated_requests SET request_digest = :requestDigest, at = :now, answer = NULL WHERE ${one}`);
const finish = prepared(`UPDATE repeated_requests SET answer = :answer WHERE ${one}`);
const forget = prepared(`DELETE FROM repeated_requests WHERE ${one} AND answer IS NULL`);
const prune = prepared(`
  DELETE FROM repeated_requests WHERE (caller, key_digest) IN (
    SELECT caller, key_digest FROM repeated_requests WHERE at < :before ORDER BY at LIMIT :limit
  )`);

/** Repeated requests in a PostgreSQL database. */
export function createPostgresRepeatedRequests(database: PostgresDatabase): RepeatedRequests {
  const run = (statement: typeof finish, parameters: Parameters): Promise<void> =>
    database.write(async (transaction) => void (await transaction.run(statement, parameters)));
  return {
    begin: (caller, keyDigest, requestDigest, now) =>
      database.write((transaction) => begin(transaction, { caller, keyDigest, requestDigest, now })),
    finish: (caller, keyDigest, answer) => run(finish, { caller, keyDigest, answer }),
    forget: (caller, keyDigest) => run(forget, { caller, keyDigest }),
    prune: (before, limit) =>
      database.write((transaction) => transaction.run(prune, { before, limit }), 'relaxed'),
  };
}

/** Whoever is not the first to note it waits for who is. */
async function begin(
  transaction: Questions,
  request: {
    readonly caller: string;
    readonly keyDigest: string;
    readonly requestDigest: string;
    readonly now: number;
  },
): Promise<RepeatedRequest> {
  for (;;) {
    if ((await transaction.run(note, request)) > 0) return { kind: 'first' };
    const row = await transaction.row(lock, request);
    // Forgotten in between: noted anew.
    if (row === undefined) continue;
    const known = judgeRepeated(row, request.requestDigest, request.now);
    if (known.kind === 'first') await transaction.run(noteAnew, request);
    return known;
  }
}
