import type { PepperId } from '../../core/ids.ts';
import { anotherSecret, compareProofs, proofName, type ProofsCompared } from '../pepper-proofs.ts';
import type { PostgresDatabase, Questions } from './database.ts';
import { storeFault } from './postgres-fault.ts';
import { prepared } from './statement.ts';

const kept = prepared(`SELECT name, value FROM meta WHERE name LIKE 'pepper:%'`);
const keep = prepared(`INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING`);

interface ProvingDeps {
  readonly database: PostgresDatabase;
  /** Of the store, for people. */
  readonly name: string;
  readonly proofs: ReadonlyMap<PepperId, string>;
  /** Whether new ones are written down. */
  readonly keeps: boolean;
}

/**
 * Keeps the proofs of peppers that nobody had before, and notes the first for gateways that would make a pepper of their own.
 * Rejects with `Fault('store_unavailable')` where a gateway has had another secret under the same id.
 */
export async function provePeppers({ database, name, proofs, keeps }: ProvingDeps): Promise<void> {
  const look = async (questions: Pick<Questions, 'rows'>): Promise<ProofsCompared> =>
    compareProofs(await questions.rows(kept), proofs);
  let compared = await look(database);
  if (keeps && compared.missing.length > 0) {
    const { missing } = compared;
    compared = await database.write(async (transaction) => {
      const [first] = proofs.keys();
      if (first !== undefined) await transaction.run(keep, { name: 'pepper', value: first });
      for (const id of missing)
        await transaction.run(keep, { name: proofName(id), value: proofs.get(id) ?? '' });
      return look(transaction);
    });
  }
  const [id] = compared.different;
  if (id === undefined) return;
  const way = `If none was made with that one: DELETE FROM meta WHERE name = '${proofName(id)}'.`;
  throw storeFault(name, `${anotherSecret(id)} ${way}`);
}
