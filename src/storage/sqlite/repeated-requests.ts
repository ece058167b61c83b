import type { RepeatedRequests } from '../../management/repeated-requests.ts';
import { judgeRepeated } from '../repeated-request-rows.ts';
import type { SqliteDatabase } from './database.ts';

/** Repeated requests in one SQLite file. */
export function createSqliteRepeatedRequests(database: SqliteDatabase): RepeatedRequests {
  const one = 'caller = :caller AND key_digest = :keyDigest';
  const find = database.prepare(`SELECT * FROM repeated_requests WHERE ${one}`);
  const begin = database.prepare(`
    INSERT OR REPLACE INTO repeated_requests (caller, key_digest, request_digest, at, answer)
    VALUES (:caller, :keyDigest, :requestDigest, :now, NULL)`);
  const finish = database.prepare(`UPDATE repeated_requests SET answer = :answer WHERE ${one}`);
  const forget = database.prepare(`DELETE FROM repeated_requests WHERE ${one} AND answer IS NULL`);
  const prune = database.prepare(`
    DELETE FROM repeated_requests WHERE (caller, key_digest) IN (
      SELECT caller, key_digest FROM repeated_requests WHERE at < ? ORDER BY at LIMIT ?
    )`);
  return {
    begin: (caller, keyDigest, requestDigest, now) =>
      database.write(() => {
        const known = judgeRepeated(find.get({ caller, keyDigest }), requestDigest, now);
        if (known.kind === 'first') begin.run({ caller, keyDigest, requestDigest, now });
        return known;
      }),
    finish: (caller, keyDigest, answer) =>
      database.write(() => void finish.run({ caller, keyDigest, answer })),
    forget: (caller, keyDigest) => database.write(() => void forget.run({ caller, keyDigest })),
    prune: (before, limit) => database.write(() => Number(prune.run(before, limit).changes), 'relaxed'),
  };
}
