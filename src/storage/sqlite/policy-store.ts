import type { KeptPolicy } from '../../tokens/policy.ts';
import type { PolicyStore } from '../../tokens/policy-store.ts';
import { toPolicy } from '../policy-rows.ts';
import type { SqliteDatabase } from './database.ts';
import { createRecords } from './records.ts';

/** The token policy in one SQLite file. */
export function createSqlitePolicyStore(database: SqliteDatabase): PolicyStore {
  const select = database.prepare('SELECT * FROM token_policy WHERE id = 1');
  const replace = database.prepare(`
    INSERT OR REPLACE INTO token_policy (id, body, version, changed_at, changed_by) VALUES (1, ?, ?, ?, ?)`);
  const records = createRecords(database);

  const read = (): KeptPolicy => toPolicy(select.get());

  return {
    read: async () => database.read(read),
    replace: (policy, ifVersion, event) =>
      database.write(() => {
        if (read().version !== ifVersion) return null;
        replace.run(JSON.stringify(policy), ifVersion + 1, event.at, event.actor);
        records.audit(event);
        return read();
      }),
  };
}
