import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PepperId } from '../../core/ids.ts';
import type { OwnedToken, TokenRecord, TokenStore, TokenUse } from '../../tokens/token-store.ts';
import { createAuditSearch } from './audit-search.ts';
import type { SqliteDatabase } from './database.ts';
import { toAuditEvent } from '../record-rows.ts';
import { createRecords } from './records.ts';
import type { Row } from '../row.ts';
import {
  insertTokenSql,
  ownedTokenColumns,
  ownedTokenSource,
  peppersInUseSql,
  type TokenState,
  tokenStateSql,
  toOwnedToken,
  toParameters,
  updateTokenSql,
} from '../token-rows.ts';
import { toListCondition } from '../token-list.ts';
import { createTokenSearch } from './token-search.ts';

/** Rows counted before other work gets its turn. */
const countedAtOnce = 2_000;

/** The token store in one SQLite file. */
export function createSqliteTokenStore(database: SqliteDatabase): TokenStore {
  const select = `SELECT ${ownedTokenColumns} FROM ${ownedTokenSource}`;
  const byDigest = database.prepare(`${select} WHERE t.digest = ?`);
  const byId = database.prepare(`${select} WHERE t.id = ?`);
  const insert = database.prepare(insertTokenSql);
  const update = database.prepare(updateTokenSql);
  const addPepper = database.prepare('INSERT OR IGNORE INTO peppers (id) VALUES (?)');
  const redigest = database.prepare(
    'UPDATE tokens SET digest = ?, pepper_id = ? WHERE id = ? AND digest = ?',
  );
  const recordUse = database.prepare(recordUseSql);
  const records = createRecords(database);

  const find = (statement: typeof byId, key: string): OwnedToken | null => {
    const row = statement.get(key);
    return row === undefined ? null : toOwnedToken(row);
  };

  function write(token: TokenRecord, statement: typeof insert): void {
    addPepper.run(token.pepperId);
    statement.run(toParameters(token));
  }

  return {
    realm: database.realm,
    findByDigests: async (digests) =>
      database.read(() => {
        for (const digest of digests) {
          const owned = find(byDigest, digest);
          if (owned !== null) return owned;
        }
        return null;
      }),
    get: async (id) => database.read(() => find(byId, id)),
    list: async (filter) =>
      database.read(() => {
        const { where, parameters } = toListCondition(filter);
        const sql = `${select} WHERE ${where} ORDER BY t.id DESC LIMIT :limit`;
        return database.prepare(sql).all(parameters).map(toOwnedToken);
      }),
    search: createTokenSearch(database),
    insert: (token, event) =>
      database.write(() => {
        write(token, insert);
        records.audit(event);
      }),
    change: (ids, edit) =>
      database.write(() =>
        ids.flatMap((id) => {
          const before = find(byId, id)?.token;
          if (before === undefined) return [];
          const edited = edit(before);
          if (edited === null) return [{ before, after: before }];
          const after: TokenRecord = { ...before, ...edited.patch, version: before.version + 1 };
          write(after, update);
          records.journal({ kind: 'token', tokenId: id, version: after.version }, edited.event.at);
          records.audit(edited.event);
          return [{ before, after }];
        }),
      ),
    recordUses: (uses, now) =>
      database.write(() => {
        for (const use of uses) recordUse.run(toUseParameters(use, now));
      }, 'relaxed'),
    redigest: (id, from, to, pepperId) =>
      database.write(() => {
        addPepper.run(pepperId);
        redigest.run(to, pepperId, id, from);
      }, 'relaxed'),
    pepperIdsInUse: async () =>
      database.read(() =>
        database
          .prepare(peppersInUseSql)
          .all()
          .map((row) => String(row['id']) as PepperId),
      ),
    countByState: (now) => countByState(database, now),
    audit: async ({ tokenId, userId, limit }) =>
      database.read(() => {
        const conditions = ['TRUE'];
        if (tokenId !== undefined) conditions.push('token_id = :tokenId');
        if (userId !== undefined) conditions.push('user_id = :userId');
        const sql = `SELECT * FROM audit WHERE ${conditions.join(' AND ')} ORDER BY seq DESC LIMIT :limit`;
        const parameters = { ...(tokenId && { tokenId }), ...(userId && { userId }), limit };
        return database.prepare(sql).all(parameters).map(toAuditEvent);
      }),
    searchAudit: createAuditSearch(database),
    pruneAudit: (before, limit) => database.write(() => records.pruneAudit(before, limit), 'relaxed'),
  };
}

/**
 * A use counts only for a token that is alive at `now`: the dead never revive. A late, older use moves
 * nothing back.
 */
const recordUseSql = `
  UPDATE tokens SET
    last_used_at = max(coalesce(last_used_at, 0), :at),
    last_used_address = CASE WHEN :at >= coalesce(last_used_at, 0) THEN :address ELSE last_used_address END,
    last_used_client = CASE WHEN :at >= coalesce(last_used_at, 0) THEN :client ELSE last_used_client END,
    expires_at = CASE
      WHEN sliding_ms IS NULL THEN expires_at
      ELSE max(expires_at, min(:at + sliding_ms, coalesce(until, :at + sliding_ms)))
    END
  WHERE id = :id AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > :now)
    AND (delete_unused_ms IS NULL OR coalesce(last_used_at, created_at) + delete_unused_ms > :now)`;

function toUseParameters({ tokenId, at, address, client }: TokenUse, now: number) {
  // A use from the future (a clock that stepped back since) would keep the token alive too long.
  return { id: tokenId, at: Math.min(at, now), address, client, now };
}

/** Counts in portions, so that a million tokens do not hold up requests. */
async function countByState(
  database: SqliteDatabase,
  now: number,
): Promise<Readonly<Record<TokenState, number>>> {
  const counts: Record<TokenState, number> = { active: 0, disabled: 0, expired: 0, revoked: 0 };
  const portion = database.prepare(`
    SELECT ${tokenStateSql} AS state,
      count(*) AS count
    FROM tokens t WHERE t.rowid > :after AND t.rowid <= :upTo GROUP BY state`);
  const last = database.prepare('SELECT max(rowid) AS last FROM tokens');
  for (
    let after = 0;
    after < Number(database.read(() => last.get()?.['last'] ?? 0));
    after += countedAtOnce
  ) {
    const rows: Row[] = database.read(() => portion.all({ now, after, upTo: after + countedAtOnce }));
    for (const row of rows) counts[row['state'] as TokenState] += Number(row['count']);
    await nextTurn();
  }
  return counts;
}
