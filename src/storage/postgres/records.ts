import type { Change } from '../../core/change.ts';
import type { AuditEvent } from '../../telemetry/audit.ts';
import { journalKeptMs, toJournalRow } from '../record-rows.ts';
import type { Questions } from './database.ts';
import { prepared } from './statement.ts';

const prunedAtOnce = 1_000;

/** The channel on which committed changes are announced. */
export const journalChannel = 'latchkey_journal';

/** "Latchkey" and "journal". */
const lock = prepared('SELECT pg_advisory_xact_lock(1281456995, 1785689454)');

const append = prepared(`
  WITH appended AS (
    INSERT INTO journal (seq, at, kind, id, version)
    SELECT (SELECT coalesce(max(seq), 0) FROM journal) + n, at, kind, id, version
    FROM unnest(:ats::bigint[], :kinds::text[], :ids::text[], :versions::integer[])
      WITH ORDINALITY AS entry (at, kind, id, version, n)
  ), pruned AS (
    DELETE FROM journal WHERE seq IN (
      SELECT seq FROM journal WHERE at < :keptSince AND seq < (SELECT max(seq) FROM journal)
      ORDER BY seq LIMIT ${prunedAtOnce}
    )
  )
  SELECT pg_notify('${journalChannel}', '')`);

/**
 * Appends to the journal, as the last thing that a transaction does: from here to its end no other can, so that the
 * order of the entries is that of the commits, and who reads up to an entry has missed none before it.
 */
export async function journal(
  transaction: Questions,
  changes: readonly Change[],
  ats: readonly number[],
): Promise<void> {
  const [first] = ats;
  if (first === undefined) return;
  const rows = changes.map(toJournalRow);
  // A statement of its own: the next one sees what was committed while this one waited.
  await transaction.row(lock);
  await transaction.row(append, {
    ats,
    kinds: rows.map(({ kind }) => kind),
    ids: rows.map(({ id }) => id),
    versions: rows.map(({ version }) => version),
    keptSince: first - journalKeptMs,
  });
}

const insert = prepared(`
  INSERT INTO audit (at, action, actor, user_id, token_id, details)
  SELECT at, action, actor, user_id, token_id, details
  FROM unnest(:ats::bigint[], :actions::text[], :actors::text[], :userIds::text[], :tokenIds::text[], :details::text[])
    WITH ORDINALITY AS event (at, action, actor, user_id, token_id, details, n)
  ORDER BY n`);

/** Adds to the audit trail, inside the transaction of the changes that the events tell of. */
export async function audit(transaction: Questions, ...events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return;
  await transaction.run(insert, {
    ats: events.map(({ at }) => at),
    actions: events.map(({ action }) => action),
    actors: events.map(({ actor }) => actor),
    userIds: events.map(({ userId }) => userId),
    tokenIds: events.map(({ tokenId }) => tokenId),
    details: events.map(({ details }) => JSON.stringify(details)),
  });
}
