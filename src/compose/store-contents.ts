import type { StoreConfig } from '../config/store-config.ts';
import type { StoreContents } from '../contents/store-contents.ts';
import type { Clock } from '../core/clock.ts';
import { systemRandom } from '../core/random.ts';
import { createSqliteContents } from '../storage/sqlite/contents.ts';

/** Everything in the store that a configuration names; opens nothing yet. */
export async function storeContents(store: StoreConfig, clock: Clock): Promise<StoreContents> {
  if (store.kind === 'sqlite') return createSqliteContents(store.path, clock, systemRandom);
  // Loaded where it is used: its client is some MiB of code.
  const { createPostgresContents } = await import('../storage/postgres/contents.ts');
  return createPostgresContents(store, clock, systemRandom);
}
