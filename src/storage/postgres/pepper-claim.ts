import type { PepperId } from '../../core/ids.ts';
import type { PostgresDatabase } from './database.ts';
import { storeFault } from './postgres-fault.ts';
import type { Session } from './session.ts';
import { prepared } from './statement.ts';

const claim = prepared(`INSERT INTO meta (name, value) VALUES ('pepper', :id) ON CONFLICT DO NOTHING`);
const claimed = prepared(`SELECT value FROM meta WHERE name = 'pepper'`);

/**
 * Notes the pepper that a gateway has made for itself, where none is noted. Rejects with `Fault('store_unavailable')` where
 * another one is: each of two gateways would take the tokens of the other for unknown.
 */
export async function claimPeppers(
  database: PostgresDatabase,
  name: string,
  ids: readonly PepperId[],
): Promise<void> {
  const [first] = ids;
  if (first === undefined) return;
  const known = await database.write(async (transaction) => {
    await transaction.run(claim, { id: first });
    return String((await transaction.row(claimed))?.['value']);
  });
  if (ids.includes(known as PepperId)) return;
  throw storeFault(
    name,
    `has the pepper "${known}" of another gateway: copy the file pepper from its dataDir to this one's, or give both the ` +
      `same \`peppers\` in the configuration. If that pepper is lost, and its tokens with it: DELETE FROM meta WHERE name = 'pepper'.`,
  );
}

/**
 * Notes, in a store that was filled with what another had, the pepper under which its newest living token is: every gateway
 * needs that one. Where there is no such token, what was noted stays.
 */
export async function claimPepperOfTokens(session: Session): Promise<void> {
  await session.query(`
    INSERT INTO meta (name, value)
    SELECT 'pepper', pepper_id FROM tokens WHERE revoked_at IS NULL ORDER BY id DESC LIMIT 1
    ON CONFLICT (name) DO UPDATE SET value = excluded.value`);
}
