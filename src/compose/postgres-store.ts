import { type PostgresConfig, storeName } from '../config/store-config.ts';
import type { Clock } from '../core/clock.ts';
import { systemRandom } from '../core/random.ts';
import { createPostgresAdminKeyStore } from '../storage/postgres/admin-key-store.ts';
import { openPostgres } from '../storage/postgres/database.ts';
import { PostgresJournalFeed } from '../storage/postgres/journal-feed.ts';
import { createPostgresLinkStore } from '../storage/postgres/link-store.ts';
import { claimPeppers } from '../storage/postgres/pepper-claim.ts';
import { provePeppers } from '../storage/postgres/pepper-proofs.ts';
import { createPostgresPolicyStore } from '../storage/postgres/policy-store.ts';
import { createPostgresRepeatedRequests } from '../storage/postgres/repeated-requests.ts';
import { createPostgresSessionStore } from '../storage/postgres/session-store.ts';
import { createPostgresTokenStore } from '../storage/postgres/token-store.ts';
import { createPostgresUserStore } from '../storage/postgres/user-store.ts';
import { createPostgresWarningStore } from '../storage/postgres/warning-store.ts';
import type { KeptStore } from './kept-store.ts';

/**
 * Opens the database, making its tables where there are none.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function openPostgresStore(config: PostgresConfig, clock: Clock): Promise<KeptStore> {
  const database = await openPostgres({ config, clock, randomBytes: systemRandom });
  const { connectTimeoutMs } = config;
  return {
    tokens: createPostgresTokenStore(database),
    users: createPostgresUserStore(database),
    sessions: createPostgresSessionStore(database),
    links: createPostgresLinkStore(database),
    adminKeys: createPostgresAdminKeyStore(database),
    policy: createPostgresPolicyStore(database),
    warnings: createPostgresWarningStore(database),
    repeated: createPostgresRepeatedRequests(database),
    claimPeppers: (ids) => claimPeppers(database, storeName(config), ids),
    provePeppers: (proofs, keeps) => provePeppers({ database, name: storeName(config), proofs, keeps }),
    journal: () => new PostgresJournalFeed({ database, clock, connectTimeoutMs }),
    // Its disk is not ours to fill.
    keepReserve: () => Promise.resolve(),
    close: () => database.close(),
  };
}
