import { type KeptPolicy, openPolicy, type TokenPolicy } from '../../tokens/policy.ts';
import type { PolicyStore } from '../../tokens/policy-store.ts';
import type { SqliteDatabase } from './database.ts';
import { createRecords } from './records.ts';

/** The token policy in one SQLite file. */
export function createSqlitePolicyStore(database: SqliteDatabase): PolicyStore {
  const select = database.prepare('SELECT * FROM token_policy WHERE id = 1');
  const replace = database.prepare(`
    INSERT OR REPLACE INTO token_policy (id, body, version, changed_at, changed_by) VALUES (1, ?, ?, ?, ?)`);
  const records = createRecords(database);

  function read(): KeptPolicy {
    const row = select.get();
    if (row === undefined) return { policy: openPolicy, version: 0, changedAt: null, changedBy: null };
    return {
      // What a policy written by an older Latchkey does not say is open.
      policy: { ...openPolicy, ...(JSON.parse(String(row['body'])) as Partial<TokenPolicy>) },
      version: Number(row['version']),
      changedAt: Number(row['changed_at']),
      changedBy: String(row['changed_by']),
    };
  }

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
