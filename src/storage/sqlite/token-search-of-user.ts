import { setImmediate as nextTurn } from 'node:timers/promises';
import type { UserId } from '../../core/ids.ts';
import type { TokenQuery } from '../../tokens/token-store.ts';
import type { SqliteDatabase } from './database.ts';
import { fewRowsMax } from './few-rows.ts';
import { direction, orderKeys, type Place } from '../token-places.ts';
import { comparePlaces, type Conditions, placeSql } from './token-search-terms.ts';

/** Behind every id. */
const behindAllIds = '~';

/**
 * The best of a user's tokens behind `after`, one more than the page holds where there is one, and how many there are in
 * all. Looks at all of them, portion by portion, keeping the best: their number has no bound.
 */
export async function searchOfUser(
  database: SqliteDatabase,
  query: TokenQuery & { readonly userId: UserId },
  { where, parameters }: Conditions,
  after: Place | null,
): Promise<{ readonly places: readonly Place[]; readonly total: number }> {
  const { userId, order, descending, limit } = query;
  const mine = `FROM tokens t WHERE t.user_id = :userId AND t.id < :high AND t.id >= :low AND ${where}`;
  const way = direction(descending);
  const count = database.prepare(`SELECT count(*) AS count ${mine}`);
  const best = database.prepare(`
    SELECT ${placeSql(order)} ${mine} ${after === null ? '' : `AND ${behindSql(order, descending)}`}
    ORDER BY 1, 2 ${way}, 3 ${way} LIMIT :limit`);
  const behind = after === null ? {} : { missing: after.missing, key: after.key, after: after.id };
  let places: readonly Place[] = [];
  let total = 0;
  for await (const bounds of portions(database, userId)) {
    const within = { ...parameters, ...bounds, userId };
    const rows = database.read(() => {
      total += Number(count.get(within)?.['count']);
      return best.all({ ...within, ...behind, limit: limit + 1 });
    });
    // The query names the columns of a place.
    const better = [...places, ...(rows as unknown as readonly Place[])];
    places = better.toSorted(comparePlaces(descending)).slice(0, limit + 1);
  }
  return { places, total };
}

/** Bounds of so many of the user's tokens each, newest first; `low` belongs to them, `high` does not. */
async function* portions(
  database: SqliteDatabase,
  userId: UserId,
): AsyncGenerator<{ readonly low: string; readonly high: string }> {
  const end = database.prepare(`
    SELECT id FROM tokens WHERE user_id = ? AND id < ? ORDER BY id DESC LIMIT 1 OFFSET ${fewRowsMax - 1}`);
  for (let high = behindAllIds; ; ) {
    const from = high;
    const low = database.read(() => end.get(userId, from)?.['id'] ?? null);
    yield { low: String(low ?? ''), high };
    if (low === null) return;
    high = String(low);
    await nextTurn();
  }
}

function behindSql(order: TokenQuery['order'], descending: boolean): string {
  const { sql } = orderKeys[order];
  const sign = descending ? '<' : '>';
  const [missing, present] = [`(${sql} IS NULL)`, `coalesce(${sql}, 0)`];
  return `(${missing} > :missing OR ${missing} = :missing
    AND (${present} ${sign} :key OR ${present} = :key AND t.id ${sign} :after))`;
}
