import { after, before, describe } from 'node:test';
import { openPostgresStore } from '../../src/compose/postgres-store.ts';
import { openSqliteStore } from '../../src/compose/sqlite-store.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type PostgresServer, requirePostgres, startPostgres } from '../support/postgres.ts';
import { makeScratch } from '../support/scratch.ts';
import { searchContract } from './search-contract.ts';
import { sessionStoreContract } from './session-store-contract.ts';
import { smallStoresContract } from './small-stores-contract.ts';
import type { StoreSubject } from './store-subject.ts';
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
  const config = { kind: 'sqlite', path: scratch.file('latchkey.db') } as const;
  const [one, other] = [
    await openSqliteStore(config, systemClock),
    await openSqliteStore(config, systemClock),
  ];
  return {
    ...one,
    other,
    async stop() {
      await Promise.all([one.close(), other.close()]);
      await scratch.remove();
    },
  };
}
