import type { PolicyStore } from '../../tokens/policy-store.ts';
import { toPolicy } from '../policy-rows.ts';
import type { PostgresDatabase } from './database.ts';
import { audit } from './records.ts';
import { prepared } from './statement.ts';

const select = prepared('SELECT * FROM token_policy WHERE id = 1');
const values = ':body, :version, :at, :actor';
/** Of several at once the first makes or changes the row, and the others then find another version. */
const first = prepared(`
  INSERT INTO token_policy (id, body, version, changed_at, changed_by) VALUES (1, ${values}) ON CONFLICT DO NOTHING`);
const next = prepared(`
  UPDATE token_policy SET (body, version, changed_at, changed_by) = (${values}) WHERE id = 1 AND version = :ifVersion`);

/** The token policy in a PostgreSQL database. */
export function createPostgresPolicyStore(database: PostgresDatabase): PolicyStore {
  return {
    read: async () => toPolicy(await database.row(select)),
    replace: (policy, ifVersion, event) =>
      database.write(async (transaction) => {
        const row = {
          body: JSON.stringify(policy),
          version: ifVersion + 1,
          at: event.at,
          actor: event.actor,
        };
        const written = await transaction.run(ifVersion === 0 ? first : next, { ...row, ifVersion });
        if (written === 0) return null;
        await audit(transaction, event);
        return toPolicy(await transaction.row(select));
      }),
  };
}
