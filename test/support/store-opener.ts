/** Opens the store file given and tells its realm: one of several processes that start at once. */
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { openSqlite } from '../../src/storage/sqlite/database.ts';

const path = process.argv[2] ?? '';
const database = await openSqlite({ path, clock: systemClock, randomBytes: systemRandom, busyMs: 20_000 });
process.send?.(database.realm);
database.close();
process.disconnect();
