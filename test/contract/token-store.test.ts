import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { openSqlite } from '../../src/storage/sqlite/database.ts';
import { createSqliteTokenStore } from '../../src/storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../../src/storage/sqlite/user-store.ts';
import { makeScratch } from '../support/scratch.ts';
import { tokenStoreContract } from './token-store-contract.ts';

tokenStoreContract('SQLite', async () => {
  const scratch = await makeScratch('token-store');
  const path = scratch.file('latchkey.db');
  const database = await openSqlite({ path, clock: systemClock, randomBytes: systemRandom });
  return {
    tokens: createSqliteTokenStore(database),
    users: createSqliteUserStore(database),
    async stop() {
      database.close();
      await scratch.remove();
    },
  };
});
