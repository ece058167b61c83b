import path from 'node:path';
import type { Config } from '../config/config.ts';
import type { StoreConfig } from '../config/store-config.ts';
import type { Clock } from '../core/clock.ts';
import type { PepperId } from '../core/ids.ts';
import { systemRandom } from '../core/random.ts';
import type { Peppers } from '../tokens/digest.ts';
import { findPeppers, openPeppers } from '../tokens/pepper-file.ts';
import type { KeptStore } from './kept-store.ts';
import { openSqliteStore } from './sqlite-store.ts';

/** The truth, opened: what gateway and commands share. */
export interface OpenedStore extends KeptStore {
  /**
   * The peppers that the digests need; made where this is a new store. Rejects with
   * `Fault('store_unavailable')`, which leaves everything usable that makes and verifies no token.
   */
  openPeppers(): Promise<Peppers>;
  /** The same, but null where there are none yet: makes nothing. */
  findPeppers(): Promise<Peppers | null>;
}

/**
 * Opens the store; its peppers are opened when they are asked for.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function openStore(
  config: Pick<Config, 'store' | 'peppers' | 'dataDir'>,
  clock: Clock,
): Promise<OpenedStore> {
  const kept = await openKept(config.store, clock);
  const file = path.join(config.dataDir, 'pepper');
  const place = { configured: config.peppers, file, store: kept.tokens };
  let opened: Promise<Peppers> | null = null;
  const open = async (): Promise<Peppers> => {
    const peppers = await openPeppers({ ...place, randomBytes: systemRandom });
    if (config.peppers === null) await kept.claimPeppers(peppers.ids);
    await kept.provePeppers(proofsOf(peppers), true);
    return peppers;
  };
  const find = async (): Promise<Peppers | null> => {
    const peppers = await findPeppers(place);
    if (peppers !== null) await kept.provePeppers(proofsOf(peppers), false);
    return peppers;
  };
  return {
    ...kept,
    openPeppers: () => (opened ??= open()),
    findPeppers: find,
  };
}

function proofsOf(peppers: Peppers): ReadonlyMap<PepperId, string> {
  return new Map(peppers.ids.map((id) => [id, peppers.derive('pepper proof', id, id) ?? '']));
}

async function openKept(config: StoreConfig, clock: Clock): Promise<KeptStore> {
  if (config.kind === 'sqlite') return openSqliteStore(config, clock);
  // Loaded where it is used: its client is some MiB of code.
  const { openPostgresStore } = await import('./postgres-store.ts');
  return openPostgresStore(config, clock);
}
