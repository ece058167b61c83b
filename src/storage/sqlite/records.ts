import type { Change } from '../../core/change.ts';
import type { AuditEvent } from '../../telemetry/audit.ts';
import type { SqliteDatabase } from './database.ts';
import { journalKeptMs, toJournalRow } from '../record-rows.ts';

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
      const { kind, id, version } = toJournalRow(change);
      journal.run(at, kind, id, version);
      prune.run(at - journalKeptMs);
    },
    audit({ at, action, actor, userId, tokenId, details }) {
      audit.run(at, action, actor, userId, tokenId, JSON.stringify(details));
    },
    pruneAudit: (before, limit) => Number(pruneAudit.run({ before, limit }).changes),
  };
}
