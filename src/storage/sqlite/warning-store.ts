import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DueWarning, WarningChannelName, WarningStore } from '../../tokens/warning-store.ts';
import type { SqliteDatabase } from './database.ts';
import type { Row } from '../row.ts';
import {
  behindAllIds,
  dayMs,
  dueWarningsSql,
  type Portion,
  portionEndSql,
  takeWarningSql,
  toDueWarning,
} from '../warning-rows.ts';

/** The expiry warnings in one SQLite file. */
export function createSqliteWarningStore(database: SqliteDatabase): WarningStore {
  const sent = database.prepare(`
    UPDATE expiry_warnings SET sent_at = :at
    WHERE token_id = :tokenId AND expires_at = :expiresAt AND days = :days AND channel = :channel`);
  const prune = database.prepare(`
    DELETE FROM expiry_warnings WHERE (token_id, expires_at, days, channel) IN (
      SELECT token_id, expires_at, days, channel FROM expiry_warnings WHERE expires_at < ? ORDER BY expires_at LIMIT ?
    )`);
  const claim = createClaim(database);
  return {
    async claim(channel, days, now, limit) {
      const claimed: DueWarning[] = [];
      let fromMs = 0;
      for (const each of days.toSorted((one, other) => one - other)) {
        const untilMs = each * dayMs;
        const span = { channel, days: each, untilMs, now };
        for await (const within of portions(database, now + fromMs, now + untilMs)) {
          claimed.push(...(await claim({ ...span, ...within }, limit - claimed.length)));
          if (claimed.length >= limit) return claimed;
        }
        fromMs = untilMs;
      }
      return claimed;
    },
    sent: (tokenId, expiresAt, days, channel, at) =>
      database.write(() => void sent.run({ tokenId, expiresAt, days, channel, at })),
    prune: (endedBefore, limit) =>
      database.write(() => Number(prune.run(endedBefore, limit).changes), 'relaxed'),
  };
}

/** The tokens that end in `(from, to]`, in the order of their ends. */
async function* portions(database: SqliteDatabase, from: number, to: number): AsyncGenerator<Portion> {
  const end = database.prepare(portionEndSql);
  for (let start = { fromAt: from, fromId: behindAllIds }; ; ) {
    const behind = start;
    const found = database.read(() => end.get(behind));
    const [at, id] = [Number(found?.['at'] ?? Infinity), String(found?.['id'])];
    if (at > to) {
      yield { ...start, toAt: to, toId: behindAllIds };
      return;
    }
    yield { ...start, toAt: at, toId: id };
    start = { fromAt: at, fromId: id };
    await nextTurn();
  }
}

interface Span extends Portion {
  readonly channel: WarningChannelName;
  readonly days: number;
  readonly untilMs: number;
  readonly now: number;
}

/** Reads what may be claimed of a portion, and claims it in a transaction that lets nobody else have the same. */
function createClaim(database: SqliteDatabase): (span: Span, limit: number) => Promise<DueWarning[]> {
  const due = database.prepare(dueWarningsSql);
  const take = database.prepare(takeWarningSql);
  return async ({ channel, days, untilMs, now, ...within }, limit) => {
    const parameters = { ...within, channel, days, untilMs, now, limit };
    const rows = database.read(() => due.all(parameters));
    if (rows.length === 0) return [];
    const toKey = (row: Row) => ({ id: String(row['id']), at: Number(row['expires_at']) });
    return database.write(() =>
      rows
        .filter((row) => Number(take.run({ ...toKey(row), days, channel, now }).changes) > 0)
        .map((row) => toDueWarning(row, days, channel)),
    );
  };
}
