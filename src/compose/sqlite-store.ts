import type { SqliteConfig } from '../config/store-config.ts';
import type { Clock } from '../core/clock.ts';
import { systemRandom } from '../core/random.ts';
import { createSqliteAdminKeyStore } from '../storage/sqlite/admin-key-store.ts';
import { openSqlite } from '../storage/sqlite/database.ts';
import { JournalFeed } from '../storage/sqlite/journal-feed.ts';
import { createSqliteLinkStore } from '../storage/sqlite/link-store.ts';
import { provePeppers } from '../storage/sqlite/pepper-proofs.ts';
import { createSqlitePolicyStore } from '../storage/sqlite/policy-store.ts';
import { createSqliteRepeatedRequests } from '../storage/sqlite/repeated-requests.ts';
import { keepReserve } from '../storage/sqlite/reserve.ts';
import { createSqliteSessionStore } from '../storage/sqlite/session-store.ts';
import { createSqliteTokenStore } from '../storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../storage/sqlite/user-store.ts';
import { createSqliteWarningStore } from '../storage/sqlite/warning-store.ts';
import type { KeptStore } from './kept-store.ts';

/**
 * Opens the store file, making it where there is none.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function openSqliteStore({ path }: SqliteConfig, clock: Clock): Promise<KeptStore> {
  const database = await openSqlite({ path, clock, randomBytes: systemRandom });
  try {
    const tokens = createSqliteTokenStore(database);
    return {
      tokens,
      users: createSqliteUserStore(database),
      sessions: createSqliteSessionStore(database),
      links: createSqliteLinkStore(database),
      adminKeys: createSqliteAdminKeyStore(database),
      policy: createSqlitePolicyStore(database),
      warnings: createSqliteWarningStore(database),
      repeated: createSqliteRepeatedRequests(database),
      // Who has the file has its folder.
      claimPeppers: () => Promise.resolve(),
      provePeppers: async (proofs, keeps) =>
        provePeppers({ database, proofs, inUse: await tokens.pepperIdsInUse(), keeps }),
      journal: () => new JournalFeed({ path, clock }),
      keepReserve: () => keepReserve(database),
      close: async () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}
