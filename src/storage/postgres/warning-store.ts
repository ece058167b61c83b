import type { DueWarning, WarningChannelName, WarningStore } from '../../tokens/warning-store.ts';
import {
  behindAllIds,
  dayMs,
  dueWarningsSql,
  type Portion,
  portionEndSql,
  takeWarningSql,
  toDueWarning,
} from '../warning-rows.ts';
import type { PostgresDatabase } from './database.ts';
import { planned, prepared } from './statement.ts';

const end = planned(portionEndSql);
const due = planned(dueWarningsSql);
const take = prepared(takeWarningSql);
const sent = prepared(`
  UPDATE expiry_warnings SET sent_at = :at
  WHERE token_id = :tokenId AND expires_at = :expiresAt AND days = :days AND channel = :channel`);
const prune = prepared(`
  DELETE FROM expiry_warnings WHERE (token_id, expires_at, days, channel) IN (
    SELECT token_id, expires_at, days, channel FROM expiry_warnings WHERE expires_at < :endedBefore
    ORDER BY expires_at LIMIT :limit
  )`);

/** The expiry warnings in a PostgreSQL database. */
export function createPostgresWarningStore(database: PostgresDatabase): WarningStore {
  const claim = createClaim(database);
  return {
    async claim(channel, days, now, limit) {
      const claimed: DueWarning[] = [];
      let fromMs = 0;
      for (const each of days.toSorted((one, other) => one - other)) {
        const untilMs = each * dayMs;
        for await (const within of portions(database, now + fromMs, now + untilMs)) {
          const span = { ...within, channel, days: each, untilMs, now };
          claimed.push(...(await claim(span, limit - claimed.length)));
          if (claimed.length >= limit) return claimed;
        }
        fromMs = untilMs;
      }
      return claimed;
    },
    sent: (tokenId, expiresAt, days, channel, at) =>
      database.write(
        async (transaction) => void (await transaction.run(sent, { tokenId, expiresAt, days, channel, at })),
      ),
    prune: (endedBefore, limit) =>
      database.write((transaction) => transaction.run(prune, { endedBefore, limit }), 'relaxed'),
  };
}

/**
 * The tokens that end in `(from, to]`, in the order of their ends: so many at once that no plan, however PostgreSQL
 * estimates what is due, takes long.
 */
async function* portions(database: PostgresDatabase, from: number, to: number): AsyncGenerator<Portion> {
  for (let start = { fromAt: from, fromId: behindAllIds }; ; ) {
    const found = await database.slowly.row(end, start);
    const [at, id] = [Number(found?.['at'] ?? Infinity), String(found?.['id'])];
    if (at > to) {
      yield { ...start, toAt: to, toId: behindAllIds };
      return;
    }
    yield { ...start, toAt: at, toId: id };
    start = { fromAt: at, fromId: id };
  }
}

interface Span extends Portion {
  readonly channel: WarningChannelName;
  readonly days: number;
  readonly now: number;
  readonly untilMs: number;
}

/** Reads what may be claimed, and claims one by one what nobody else has claimed by then. */
function createClaim(
  database: PostgresDatabase,
): (span: Span, limit: number) => Promise<readonly DueWarning[]> {
  return async ({ channel, days, now, untilMs, ...within }, limit) => {
    const rows = await database.slowly.rows(due, { ...within, channel, days, untilMs, now, limit });
    if (rows.length === 0) return [];
    return database.write(async (transaction) => {
      const claimed: DueWarning[] = [];
      for (const row of rows) {
        const key = { id: String(row['id']), at: Number(row['expires_at']) };
        const taken = await transaction.run(take, { ...key, days, channel, now });
        if (taken > 0) claimed.push(toDueWarning(row, days, channel));
      }
      return claimed;
    });
  };
}
