import { after, before, describe } from 'node:test';
import { openPostgresStore } from '../../src/compose/postgres-store.ts';
import { openSqliteStore } from '../../src/compose/sqlite-store.ts';
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createPostgresContents } from '../../src/storage/postgres/contents.ts';
import { createSqliteContents } from '../../src/storage/sqlite/contents.ts';
import { type PostgresServer, requirePostgres, startPostgres } from '../support/postgres.ts';
import { makeScratch } from '../support/scratch.ts';
import { storeContentsContract } from './store-contents-contract.ts';

storeContentsContract('SQLite', async () => {
  const scratch = await makeScratch('contents');
  const path = scratch.file('latchkey.db');
  return {
    contents: createSqliteContents(path, systemClock, systemRandom),
    open: () => openSqliteStore({ kind: 'sqlite', path }, systemClock),
    remove: () => scratch.remove(),
  };
});

describe('PostgreSQL', requirePostgres(), () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());
  storeContentsContract('PostgreSQL', async () => {
    const config = server.config(await server.createDatabase());
    return {
      contents: createPostgresContents(config, systemClock, systemRandom),
      open: () => openPostgresStore(config, systemClock),
      remove: () => Promise.resolve(),
    };
  });
});
