import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createSqliteContents } from '../../src/storage/sqlite/contents.ts';
import { openSqlite } from '../../src/storage/sqlite/database.ts';
import { createSqliteTokenStore } from '../../src/storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../../src/storage/sqlite/user-store.ts';
import { makeScratch } from '../support/scratch.ts';
import { type ContentsSubject, storeContentsContract } from './store-contents-contract.ts';

storeContentsContract('SQLite', async (): Promise<ContentsSubject> => {
  const scratch = await makeScratch('contents');
  const path = scratch.file('latchkey.db');
  return {
    contents: createSqliteContents(path, systemClock, systemRandom),
    async open() {
      const database = await openSqlite({ path, clock: systemClock, randomBytes: systemRandom });
      return {
        tokens: createSqliteTokenStore(database),
        users: createSqliteUserStore(database),
        close: async () => database.close(),
      };
    },
    remove: () => scratch.remove(),
  };
});
