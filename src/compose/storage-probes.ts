import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Config, RedisConfig } from '../config/config.ts';
import type { PostgresConfig, SqliteConfig, StoreConfig } from '../config/store-config.ts';
import type { Clock } from '../core/clock.ts';
import type { PepperId } from '../core/ids.ts';
import { closeClient, commandClient, type CommandClient } from '../storage/redis/connection.ts';
import { reasonOf } from '../storage/redis/reasons.ts';
import type { PostgresReport } from '../storage/postgres/look.ts';
import type { SqliteReport } from '../storage/sqlite/look.ts';
import type { Peppers } from '../tokens/digest.ts';
import { findPeppers } from '../tokens/pepper-file.ts';
import { openStore } from './store.ts';

/** What Redis says of itself. */
interface RedisReport {
  readonly version: string;
  readonly roundTripMs: number;
  /** Null where this user may not ask for it. */
  readonly maxmemoryPolicy: string | null;
  /** Bytes; 0 is without limit; null where this user may not ask for it. */
  readonly maxmemory: number | null;
}

/**
 * Opens the file, which has to be there, looks whether it is whole, and changes nothing.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function probeSqlite({ path: file }: SqliteConfig): Promise<SqliteReport> {
  const { lookAtSqlite } = await import('../storage/sqlite/look.ts');
  return lookAtSqlite(file);
}

/**
 * Connects to PostgreSQL, looks, and changes nothing.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function probePostgres(config: PostgresConfig, clock: Clock): Promise<PostgresReport> {
  const { lookAtPostgres } = await import('../storage/postgres/look.ts');
  return lookAtPostgres(config, clock);
}

/**
 * Looks for the peppers that the tokens of the store need, as `serve` will; makes neither pepper nor store.
 * Resolves to false where the first start will make one.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function probePeppers(config: Config, clock: Clock): Promise<boolean> {
  const place = { configured: config.peppers, file: path.join(config.dataDir, 'pepper') };
  const needed = await neededBefore(config.store, clock);
  // Opening it would bring it up to date.
  if (needed !== null)
    return isThere(await findPeppers({ ...place, store: { pepperIdsInUse: async () => needed } }));
  const opened = await openStore(config, clock);
  try {
    return isThere(await opened.findPeppers());
  } finally {
    await opened.close();
  }
}

/** The peppers of a store that is not there yet, or not up to date; null for one that can be opened as it is. */
async function neededBefore(store: StoreConfig, clock: Clock): Promise<readonly PepperId[] | null> {
  if (store.kind === 'postgres') return (await probePostgres(store, clock)).state === 'current' ? null : [];
  if (!existsSync(store.path)) return [];
  const { state, pepperIds } = await probeSqlite(store);
  return state === 'current' ? null : pepperIds;
}

function isThere(peppers: Peppers | null): boolean {
  return peppers !== null;
}

/**
 * Connects to Redis, asks how it is, and disconnects.
 * @throws Error with the words of client or server, secrets blotted out.
 */
export async function probeRedis(config: RedisConfig, clock: Clock): Promise<RedisReport> {
  const client = commandClient(config, Math.random);
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  let reason: unknown = null;
  client.on('error', (error: unknown) => {
    reason ??= error;
    // Sentinels that do not help are asked again for ever.
    fail(error);
  });
  try {
    return await Promise.race([ask(client, clock), failed]);
  } catch (error) {
    reason ??= error;
  } finally {
    await closeClient(client);
  }
  // Without its cause, which holds the commands that were under way, AUTH among them.
  throw new Error(reasonOf(config, reason));
}

async function ask(client: CommandClient, clock: Clock): Promise<RedisReport> {
  await client.connect();
  const started = clock.monotonic();
  await client.ping();
  const roundTripMs = clock.monotonic() - started;
  const info = await client.info('server');
  return {
    version: /^redis_version:(.+?)\r?$/m.exec(info)?.[1] ?? 'unknown',
    roundTripMs,
    maxmemoryPolicy: await setting(client, 'maxmemory-policy'),
    maxmemory: numberOrNull(await setting(client, 'maxmemory')),
  };
}

/** CONFIG is often forbidden, which is fine. */
async function setting(client: CommandClient, name: string): Promise<string | null> {
  try {
    const reply = (await client.config('GET', name)) as readonly unknown[];
    return typeof reply[1] === 'string' ? reply[1] : null;
  } catch {
    return null;
  }
}

function numberOrNull(text: string | null): number | null {
  return text === null || !/^\d+$/.test(text) ? null : Number(text);
}
