import type { LinkStore } from '../../identity/one-time-links.ts';
import { insertLinkSql, linkUsableSql, toLink, toLinkParameters } from '../link-rows.ts';
import type { PostgresDatabase } from './database.ts';
import { audit } from './records.ts';
import { prepared } from './statement.ts';

const find = prepared(`SELECT * FROM one_time_links WHERE ${linkUsableSql}`);
/** Of several at once the first changes the row, and the others then find it used. */
const use = prepared(`UPDATE one_time_links SET used_at = :now WHERE ${linkUsableSql} RETURNING *`);
const forget = prepared('DELETE FROM one_time_links WHERE expires_at <= :at OR user_id = :userId');
const insert = prepared(insertLinkSql);
/** So that of two links made at once for one user the later one voids the earlier. */
const lockUser = prepared('SELECT 1 FROM users WHERE id = :userId FOR NO KEY UPDATE');

/** The one-time links in a PostgreSQL database. */
export function createPostgresLinkStore(database: PostgresDatabase): LinkStore {
  return {
    insert: (link, event) =>
      database.write(async (transaction) => {
        if (link.userId !== null) await transaction.row(lockUser, { userId: link.userId });
        await transaction.run(forget, { at: event.at, userId: link.userId });
        await transaction.run(insert, toLinkParameters(link));
        await audit(transaction, event);
      }),
    find: async (digest, now) => toLink(await database.row(find, { digest, now })),
    use: (digest, now) =>
      database.write(async (transaction) => toLink(await transaction.row(use, { digest, now }))),
  };
}
