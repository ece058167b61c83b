import type { Change } from '../../core/change.ts';
import type { PepperId, TokenId } from '../../core/ids.ts';
import type { AuditEvent } from '../../telemetry/audit.ts';
import type { TokenRecord, TokenStore } from '../../tokens/token-store.ts';
import { toAuditEvent } from '../record-rows.ts';
import { peppersInUseSql, tokenEndedSql, toOwnedToken } from '../token-rows.ts';
import { createAuditSearch } from './audit-search.ts';
import type { PostgresDatabase, Questions } from './database.ts';
import { audit, journal } from './records.ts';
import { planned, prepared } from './statement.ts';
import {
  insertTokenSql,
  selectOwnedSql,
  toRowsParameter,
  toTokenParameters,
  updateTokensSql,
} from './token-rows.ts';
import { createTokenSearch } from './token-search.ts';
import { toListCondition } from '../token-list.ts';
import { createUseRecorder } from './token-uses.ts';

const byDigest = prepared(`${selectOwnedSql} WHERE t.digest = ANY(:digests::text[])`);
const byId = prepared(`${selectOwnedSql} WHERE t.id = :id`);
/** In one order, so that two who change the same tokens do not wait for each other. */
const lockById = prepared(`
  ${selectOwnedSql} WHERE t.id = ANY(:ids::text[]) ORDER BY t.id FOR NO KEY UPDATE OF t`);
const insert = prepared(insertTokenSql);
const update = prepared(updateTokensSql);
const addPeppers = prepared(`
  INSERT INTO peppers (id) SELECT id FROM unnest(:ids::text[]) AS wanted (id)
  WHERE NOT EXISTS (SELECT 1 FROM peppers p WHERE p.id = wanted.id) ORDER BY id ON CONFLICT DO NOTHING`);
const redigest = prepared(`
  UPDATE tokens SET digest = :to, pepper_id = :pepperId WHERE id = :id AND digest = :from`);
const peppersInUse = planned(peppersInUseSql);
/**
 * The states of `tokenStateSql`, each in the words of an index that holds what is rare; the rest is active. Grouped by that
 * every row would be read, judged and sorted.
 */
const count = planned(`
  SELECT (SELECT count(*) FROM tokens) AS total,
    (SELECT count(*) FROM tokens t WHERE t.revoked_at IS NOT NULL) AS revoked,
    (SELECT count(*) FROM tokens t WHERE t.revoked_at IS NULL AND (${tokenEndedSql})) AS expired,
    (SELECT count(*) FROM tokens t
      WHERE t.revoked_at IS NULL AND t.enabled = 0 AND (${tokenEndedSql}) IS NOT TRUE) AS switched_off,
    (SELECT count(*) FROM tokens t JOIN users u ON u.id = t.user_id AND (u.disabled = 1 OR u.lapsed = 1)
      WHERE t.revoked_at IS NULL AND t.enabled <> 0 AND (${tokenEndedSql}) IS NOT TRUE) AS shut_out`);
const pruneAudit = prepared(`
  DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE at < :before ORDER BY at LIMIT :limit)`);

/** The token store in a PostgreSQL database. */
export function createPostgresTokenStore(database: PostgresDatabase): TokenStore {
  return {
    realm: database.realm,
    async findByDigests(digests) {
      const row = await database.row(byDigest, { digests });
      return row === undefined ? null : toOwnedToken(row);
    },
    async get(id) {
      const row = await database.row(byId, { id });
      return row === undefined ? null : toOwnedToken(row);
    },
    async list(filter) {
      const { where, parameters } = toListCondition(filter);
      const list = planned(`${selectOwnedSql} WHERE ${where} ORDER BY t.id DESC LIMIT :limit`);
      return (await database.slowly.rows(list, parameters)).map(toOwnedToken);
    },
    search: createTokenSearch(database),
    insert: (token, event) =>
      database.write(async (transaction) => {
        await transaction.run(addPeppers, { ids: [token.pepperId] });
        await transaction.run(insert, toTokenParameters(token));
        await audit(transaction, event);
      }),
    change: (ids, edit) => database.write((transaction) => change(transaction, ids, edit)),
    recordUses: createUseRecorder(database),
    redigest: (id, from, to, pepperId) =>
      database.write(async (transaction) => {
        await transaction.run(addPeppers, { ids: [pepperId] });
        await transaction.run(redigest, { id, from, to, pepperId });
      }, 'relaxed'),
    pepperIdsInUse: async () =>
      (await database.slowly.rows(peppersInUse)).map((row) => String(row['id']) as PepperId),
    async countByState(now) {
      const row = await database.slowly.row(count, { now });
      const of = (column: string): number => Number(row?.[column]);
      const [revoked, expired, disabled] = [
        of('revoked'),
        of('expired'),
        of('switched_off') + of('shut_out'),
      ];
      return { active: of('total') - revoked - expired - disabled, disabled, expired, revoked };
    },
    async audit({ tokenId, userId, limit }) {
      const conditions = ['TRUE'];
      if (tokenId !== undefined) conditions.push('token_id = :tokenId');
      if (userId !== undefined) conditions.push('user_id = :userId');
      const list = planned(
        `SELECT * FROM audit WHERE ${conditions.join(' AND ')} ORDER BY seq DESC LIMIT :limit`,
      );
      const parameters = { ...(tokenId && { tokenId }), ...(userId && { userId }), limit };
      return (await database.slowly.rows(list, parameters)).map(toAuditEvent);
    },
    searchAudit: createAuditSearch(database),
    pruneAudit: (before, limit) =>
      database.write((transaction) => transaction.run(pruneAudit, { before, limit }), 'relaxed'),
  };
}

async function change(
  transaction: Questions,
  ids: readonly TokenId[],
  edit: Parameters<TokenStore['change']>[1],
): Promise<Awaited<ReturnType<TokenStore['change']>>> {
  const rows = await transaction.rows(lockById, { ids });
  const current = new Map<TokenId, TokenRecord>();
  for (const row of rows) {
    const { token } = toOwnedToken(row);
    current.set(token.id, token);
  }
  const changes: Change[] = [];
  const events: AuditEvent[] = [];
  const outcomes = ids.flatMap((id) => {
    const before = current.get(id);
    if (before === undefined) return [];
    const edited = edit(before);
    if (edited === null) return [{ before, after: before }];
    const after: TokenRecord = { ...before, ...edited.patch, version: before.version + 1 };
    current.set(id, after);
    changes.push({ kind: 'token', tokenId: id, version: after.version });
    events.push(edited.event);
    return [{ before, after }];
  });
  const changed = new Set(changes.map((each) => (each.kind === 'token' ? each.tokenId : null)));
  const written = [...current.values()].filter(({ id }) => changed.has(id));
  if (written.length === 0) return outcomes;
  await transaction.run(addPeppers, { ids: written.map(({ pepperId }) => pepperId) });
  await transaction.run(update, toRowsParameter(written));
  await audit(transaction, ...events);
  await journal(
    transaction,
    changes,
    events.map(({ at }) => at),
  );
  return outcomes;
}
