import type { LinkStore } from '../../identity/one-time-links.ts';
import { insertLinkSql, linkUsableSql, toLink, toLinkParameters } from '../link-rows.ts';
import type { SqliteDatabase } from './database.ts';
import { createRecords } from './records.ts';

/** The one-time links in one SQLite file. */
export function createSqliteLinkStore(database: SqliteDatabase): LinkStore {
  const find = database.prepare(`SELECT * FROM one_time_links WHERE ${linkUsableSql}`);
  const use = database.prepare(`UPDATE one_time_links SET used_at = :now WHERE ${linkUsableSql} RETURNING *`);
  const forget = database.prepare('DELETE FROM one_time_links WHERE expires_at <= ? OR user_id = ?');
  const insert = database.prepare(insertLinkSql);
  const records = createRecords(database);
  return {
    insert: (link, event) =>
      database.write(() => {
        forget.run(event.at, link.userId);
        insert.run(toLinkParameters(link));
        records.audit(event);
      }),
    find: async (digest, now) => database.read(() => toLink(find.get({ digest, now }))),
    use: (digest, now) => database.write(() => toLink(use.get({ digest, now }))),
  };
}
