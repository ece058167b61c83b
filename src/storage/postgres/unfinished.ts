import type { Realm } from '../../core/ids.ts';
import { storeFault } from './postgres-fault.ts';
import type { Session } from './session.ts';

/** A store that somebody is filling, or has not filled to the end: until then it is none. */
export interface Unfinished {
  /** The store of which this becomes a copy. */
  readonly realm: Realm;
  /** Tells those who fill it apart: the last who began may go on. */
  readonly run: string;
}

/** What `markUnfinished` has written; null for a store that is whole. 'held' keeps it from changing until the commit. */
export async function unfinishedOf(session: Session, how: 'seen' | 'held'): Promise<Unfinished | null> {
  const sql = `SELECT value FROM meta WHERE name = 'unfinished' ${how === 'held' ? 'FOR UPDATE' : ''}`;
  const { rows } = await session.query<{ value: string }>(sql);
  return rows[0] === undefined ? null : (JSON.parse(rows[0].value) as Unfinished);
}

/** Keeps everybody from opening the database as a store; null lets them again. */
export async function markUnfinished(session: Session, mark: Unfinished | null): Promise<void> {
  if (mark === null) await session.query(`DELETE FROM meta WHERE name = 'unfinished'`);
  else {
    const put = `INSERT INTO meta VALUES ('unfinished', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
    await session.query(put, [JSON.stringify(mark)]);
  }
}

/** Rejects with `Fault('store_unavailable')` where the database is an unfinished copy. */
export async function assertFinished(session: Session, name: string): Promise<void> {
  if ((await unfinishedOf(session, 'seen')) === null) return;
  throw storeFault(
    name,
    'is a copy that has not come to its end: run the same `latchkey store copy` again, which goes on where it stopped.',
  );
}
