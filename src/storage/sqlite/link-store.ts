import type { LinkRecord, LinkStore } from '../../identity/one-time-links.ts';
import { type Columns, fromRow, insertSql, toRow } from './columns.ts';
import type { SqliteDatabase } from './database.ts';
import { createRecords } from './records.ts';
import type { Row } from './token-rows.ts';

const columns: Columns<LinkRecord> = [
  ['digest', 'digest'],
  ['purpose', 'purpose'],
  ['user_id', 'userId'],
  ['expires_at', 'expiresAt'],
];

/** The one-time links in one SQLite file. */
export function createSqliteLinkStore(database: SqliteDatabase): LinkStore {
  const usable = 'digest = :digest AND used_at IS NULL AND expires_at > :now';
  const find = database.prepare(`SELECT * FROM one_time_links WHERE ${usable}`);
  const use = database.prepare(`UPDATE one_time_links SET used_at = :now WHERE ${usable} RETURNING *`);
  const forget = database.prepare('DELETE FROM one_time_links WHERE expires_at <= ? OR user_id = ?');
  const insert = database.prepare(insertSql('one_time_links', columns));
  const records = createRecords(database);
  return {
    insert: (link, event) =>
      database.write(() => {
        forget.run(event.at, link.userId);
        insert.run(toRow(columns, link));
        records.audit(event);
      }),
    find: async (digest, now) => database.read(() => toLink(find.get({ digest, now }))),
    use: (digest, now) => database.write(() => toLink(use.get({ digest, now }))),
  };
}

function toLink(row: Row | undefined): LinkRecord | null {
  return row === undefined ? null : fromRow(columns, row);
}
