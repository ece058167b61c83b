import { after, before, describe } from 'node:test';
import { openPostgresStore } from '../../src/compose/postgres-store.ts';
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createSqliteAdminKeyStore } from '../../src/storage/sqlite/admin-key-store.ts';
import { openSqlite, type SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { createSqliteLinkStore } from '../../src/storage/sqlite/link-store.ts';
import { createSqlitePolicyStore } from '../../src/storage/sqlite/policy-store.ts';
import { createSqliteRepeatedRequests } from '../../src/storage/sqlite/repeated-requests.ts';
import { createSqliteSessionStore } from '../../src/storage/sqlite/session-store.ts';
import { createSqliteTokenStore } from '../../src/storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../../src/storage/sqlite/user-store.ts';
import { createSqliteWarningStore } from '../../src/storage/sqlite/warning-store.ts';
import { type PostgresServer, requirePostgres, startPostgres } from '../support/postgres.ts';
import { makeScratch } from '../support/scratch.ts';
import { searchContract } from './search-contract.ts';
import { sessionStoreContract } from './session-store-contract.ts';
import { smallStoresContract } from './small-stores-contract.ts';
import type { StoreSubject, Stores } from './store-subject.ts';
import { tokenStoreContract } from './token-store-contract.ts';
import { userStoreContract } from './user-store-contract.ts';
import { warningStoreContract } from './warning-store-contract.ts';

const contracts = [
  tokenStoreContract,
  userStoreContract,
  sessionStoreContract,
  searchContract,
  smallStoresContract,
  warningStoreContract,
];
for (const contract of contracts) contract('SQLite', openSqliteStores);

describe('PostgreSQL', requirePostgres(), () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());
  for (const contract of contracts) contract('PostgreSQL', () => openPostgresStores(server));
});

/** Two pools on a database of its own. */
async function openPostgresStores(server: PostgresServer): Promise<StoreSubject> {
  const config = server.config(await server.createDatabase());
  const [one, other] = [
    await openPostgresStore(config, systemClock),
    await openPostgresStore(config, systemClock),
  ];
  return {
    ...one,
    other,
    async stop() {
      await Promise.all([one.close(), other.close()]);
    },
  };
}

async function openSqliteStores(): Promise<StoreSubject> {
  const scratch = await makeScratch('stores');
  const deps = { path: scratch.file('latchkey.db'), clock: systemClock, randomBytes: systemRandom };
  const [database, other] = [await openSqlite(deps), await openSqlite(deps)];
  return {
    ...storesOf(database),
    other: storesOf(other),
    async stop() {
      database.close();
      other.close();
      await scratch.remove();
    },
  };
}

function storesOf(database: SqliteDatabase): Stores {
  return {
    tokens: createSqliteTokenStore(database),
    users: createSqliteUserStore(database),
    sessions: createSqliteSessionStore(database),
    links: createSqliteLinkStore(database),
    adminKeys: createSqliteAdminKeyStore(database),
    policy: createSqlitePolicyStore(database),
    warnings: createSqliteWarningStore(database),
    repeated: createSqliteRepeatedRequests(database),
  };
}
