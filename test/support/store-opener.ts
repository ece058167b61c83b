/**
 * Opens the store given, by its file or configuration, and tells its realm: one of several processes that start at once.
 * Where a user id stands behind it, as that user.
 */
import type { PostgresConfig } from '../../src/config/store-config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { openPostgres } from '../../src/storage/postgres/database.ts';
import { openSqlite } from '../../src/storage/sqlite/database.ts';

const given = process.argv[2] ?? '';
// Only now: this program itself may be nobody else's to read.
const user = process.argv[3];
if (user !== undefined) process.setuid?.(Number(user));
const deps = { clock: systemClock, randomBytes: systemRandom };
if (given.startsWith('{')) {
  const database = await openPostgres({ ...deps, config: JSON.parse(given) as PostgresConfig });
  process.send?.(database.realm);
  await database.close();
} else {
  const database = await openSqlite({ ...deps, path: given, busyMs: 20_000 });
  process.send?.(database.realm);
  database.close();
}
process.disconnect();
