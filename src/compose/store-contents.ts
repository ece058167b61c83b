import type { StoreConfig } from '../config/store-config.ts';
import type { StoreContents } from '../contents/store-contents.ts';
import type { Clock } from '../core/clock.ts';
import { Fault } from '../core/errors.ts';
import { systemRandom } from '../core/random.ts';
import { createSqliteContents } from '../storage/sqlite/contents.ts';

/** Everything in the store that a configuration names; opens nothing yet. */
export function storeContents(store: StoreConfig, clock: Clock): StoreContents {
  if (store.kind === 'sqlite') return createSqliteContents(store.path, clock, systemRandom);
  throw new Fault('store_unavailable', 'This version cannot open PostgreSQL yet: name a file as the store.');
}
