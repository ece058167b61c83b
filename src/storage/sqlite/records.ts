import type { Change } from '../../core/change.ts';
import type { TokenId, UserId } from '../../core/ids.ts';
import type { AuditEvent } from '../../telemetry/audit.ts';
import type { SqliteDatabase } from './database.ts';
import type { Row } from './token-rows.ts';

/** Journal entries are kept for a day: far longer than any cache lives or process lags. */
const journalKeptMs = 24 * 3_600_000;
const prunedAtOnce = 1_000;

/** Writes the journal and the audit trail, always inside the transaction of the change they tell of. */
export interface Records {
  journal(change: Change, at: number): void;
  audit(event: AuditEvent): void;
  /** Removes at most `limit` audit events from before this moment, oldest first; returns how many. */
  pruneAudit(before: number, limit: number): number;
}

/** Records into this database. */
export function createRecords(database: SqliteDatabase): Records {
  const journal = database.prepare('INSERT INTO journal (at, kind, id, version) VALUES (?, ?, ?, ?)');
  // The newest entry always stays: readers tell from the oldest whether they have missed any.
  const prune = database.prepare(`
    DELETE FROM journal WHERE seq IN (
      SELECT seq FROM journal WHERE at < ? AND seq < (SELECT max(seq) FROM journal) ORDER BY seq LIMIT ${prunedAtOnce}
    )`);
  const audit = database.prepare(
    'INSERT INTO audit (at, action, actor, user_id, token_id, details) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const pruneAudit = database.prepare(
    'DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE at < :before ORDER BY at LIMIT :limit)',
  );
  return {
    journal(change, at) {
      const id = change.kind === 'token' ? change.tokenId : change.userId;
      journal.run(at, change.kind, id, change.version);
      prune.run(at - journalKeptMs);
    },
    audit({ at, action, actor, userId, tokenId, details }) {
      audit.run(at, action, actor, userId, tokenId, JSON.stringify(details));
    },
    pruneAudit: (before, limit) => Number(pruneAudit.run({ before, limit }).changes),
  };
}

/** A row of `journal` as a change. */
export function toChange(row: Row): Change {
  const [id, version] = [String(row['id']), Number(row['version'])];
  return row['kind'] === 'token'
    ? { kind: 'token', tokenId: id as TokenId, version }
    : { kind: 'user', userId: id as UserId, version };
}

/** A row of `audit` as an event. */
export function toAuditEvent(row: Row): AuditEvent {
  return {
    at: Number(row['at']),
    action: String(row['action']),
    actor: String(row['actor']),
    userId: row['user_id'] as UserId | null,
    tokenId: row['token_id'] as TokenId | null,
    details: JSON.parse(String(row['details'])) as Record<string, unknown>,
  };
}
