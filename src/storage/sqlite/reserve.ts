import { statSync } from 'node:fs';
import type { SqliteDatabase } from './database.ts';

/** 256 KiB. A change takes about ten pages in the log, which have their use again once it is checkpointed, and hardly one of the file. */
const pagesSetAside = 64;
/** Set aside anew where fewer are left. */
const pagesLeftMin = 32;

/**
 * Sees to it that file and log have room for hundreds of changes more than they hold: free pages in the file,
 * and a log that long, which both stay allocated. So tokens can be revoked although the disk is full. To be
 * called now and then: writes only where there is less. Rejects with `Fault('store_unavailable')` where the disk has none.
 */
export async function keepReserve(database: SqliteDatabase): Promise<void> {
  if (!hasReserve(database)) {
    const put = database.prepare(`INSERT OR REPLACE INTO meta VALUES ('reserve', ?)`);
    const remove = database.prepare(`DELETE FROM meta WHERE name = 'reserve'`);
    // In two transactions: what begins and ends in one is never written.
    await database.write(() => put.run('-'.repeat(pagesSetAside * pageBytes(database))));
    await database.write(() => remove.run());
  }
  // What the log holds can make the file grow only now; nobody waits for it, nor it for anybody.
  database.read(() => database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get());
}

function hasReserve(database: SqliteDatabase): boolean {
  const pages = ask(database, 'freelist_count');
  const logBytes = statSync(`${database.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  return pages >= pagesLeftMin && logBytes >= pagesSetAside * pageBytes(database);
}

const pageBytes = (database: SqliteDatabase): number => ask(database, 'page_size');

function ask(database: SqliteDatabase, pragma: string): number {
  return Number(database.read(() => database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]));
}
