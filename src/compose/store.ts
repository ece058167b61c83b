import path from 'node:path';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { systemRandom } from '../core/random.ts';
import type { AdminKeyStore } from '../identity/admin-key-store.ts';
import type { LinkStore } from '../identity/one-time-links.ts';
import type { SessionStore } from '../identity/session-store.ts';
import type { UserStore } from '../identity/user-store.ts';
import type { RepeatedRequests } from '../management/repeated-requests.ts';
import { createSqliteAdminKeyStore } from '../storage/sqlite/admin-key-store.ts';
import { openSqlite } from '../storage/sqlite/database.ts';
import { JournalFeed } from '../storage/sqlite/journal-feed.ts';
import { createSqliteLinkStore } from '../storage/sqlite/link-store.ts';
import { createSqlitePolicyStore } from '../storage/sqlite/policy-store.ts';
import { createSqliteRepeatedRequests } from '../storage/sqlite/repeated-requests.ts';
import { keepReserve } from '../storage/sqlite/reserve.ts';
import { createSqliteSessionStore } from '../storage/sqlite/session-store.ts';
import { createSqliteTokenStore } from '../storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../storage/sqlite/user-store.ts';
import { createSqliteWarningStore } from '../storage/sqlite/warning-store.ts';
import type { ChangeFeed } from '../tokens/change-feed.ts';
import type { Peppers } from '../tokens/digest.ts';
import { findPeppers, openPeppers } from '../tokens/pepper-file.ts';
import type { PolicyStore } from '../tokens/policy-store.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import type { WarningStore } from '../tokens/warning-store.ts';

/** The truth, opened: what gateway and commands share. */
export interface OpenedStore {
  readonly tokens: TokenStore;
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly links: LinkStore;
  readonly adminKeys: AdminKeyStore;
  readonly policy: PolicyStore;
  readonly warnings: WarningStore;
  readonly repeated: RepeatedRequests;
  /**
   * The peppers that the digests need; made where this is a new store. Rejects with
   * `Fault('store_unavailable')`, which leaves everything usable that makes and verifies no token.
   */
  openPeppers(): Promise<Peppers>;
  /** The same, but null where there are none yet: makes nothing. */
  findPeppers(): Promise<Peppers | null>;
  /** A feed of its own for each caller; unstarted. */
  journal(): ChangeFeed;
  /** Sets room aside for changes on a full disk. Rejects with `Fault('store_unavailable')` where there is none. */
  keepReserve(): Promise<void>;
  close(): void;
}

/**
 * Opens the store; its peppers are opened when they are asked for.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function openStore(
  config: Pick<Config, 'store' | 'peppers' | 'dataDir'>,
  clock: Clock,
): Promise<OpenedStore> {
  const database = await openSqlite({ path: config.store.path, clock, randomBytes: systemRandom });
  try {
    const tokens = createSqliteTokenStore(database);
    const place = { configured: config.peppers, file: path.join(config.dataDir, 'pepper'), store: tokens };
    let opened: Promise<Peppers> | null = null;
    return {
      tokens,
      users: createSqliteUserStore(database),
      sessions: createSqliteSessionStore(database),
      links: createSqliteLinkStore(database),
      adminKeys: createSqliteAdminKeyStore(database),
      policy: createSqlitePolicyStore(database),
      warnings: createSqliteWarningStore(database),
      repeated: createSqliteRepeatedRequests(database),
      openPeppers: () => (opened ??= openPeppers({ ...place, randomBytes: systemRandom })),
      findPeppers: () => findPeppers(place),
      journal: () => new JournalFeed({ path: config.store.path, clock }),
      keepReserve: () => keepReserve(database),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}
