import type { Change } from '../core/change.ts';
import type { TokenId, UserId } from '../core/ids.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import type { Row } from './row.ts';

/** Journal entries are kept for a day: far longer than any cache lives or process lags. */
export const journalKeptMs: number = 24 * 3_600_000;
/** What was journalled this long before the start still matters to entries in a shared cache. */
export const replayedMs: number = 15 * 60_000;

/** A change as the kind, id and version of its row in `journal`. */
export function toJournalRow(change: Change): {
  readonly kind: string;
  readonly id: string;
  readonly version: number;
} {
  const id = change.kind === 'token' ? change.tokenId : change.userId;
  return { kind: change.kind, id, version: change.version };
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
