import { Fault } from '../../core/errors.ts';
import type { PepperId } from '../../core/ids.ts';
import { anotherSecret, compareProofs, proofName } from '../pepper-proofs.ts';
import type { SqliteDatabase } from './database.ts';

interface ProvingDeps {
  readonly database: SqliteDatabase;
  readonly proofs: ReadonlyMap<PepperId, string>;
  /** Peppers under which there is a living token. */
  readonly inUse: readonly PepperId[];
  /** Whether new ones are written down. */
  readonly keeps: boolean;
}

/**
 * Keeps the proofs of peppers that are new, or under which there is no living token.
 * @throws {Fault} 'store_unavailable' where there is one, made with another secret of the same id.
 */
export async function provePeppers({ database, proofs, inUse, keeps }: ProvingDeps): Promise<void> {
  const kept = database.prepare(`SELECT name, value FROM meta WHERE name LIKE 'pepper:%'`);
  const keep = database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)');
  const { missing, different } = compareProofs(
    database.read(() => kept.all()),
    proofs,
  );
  const wrong = different.find((id) => inUse.includes(id));
  if (wrong !== undefined)
    throw new Fault('store_unavailable', `The store ${database.path} ${anotherSecret(wrong)}`);
  const fresh = [...missing, ...different];
  if (!keeps || fresh.length === 0) return;
  await database.write(() => {
    for (const id of fresh) keep.run(proofName(id), proofs.get(id) ?? '');
  });
}
