import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { Fault } from '../../core/errors.ts';
import type { Realm } from '../../core/ids.ts';
import { makeFolder } from '../../core/make-folder.ts';
import type { RandomBytes } from '../../core/random.ts';
import { uuidV7 } from '../../core/uuid.ts';
import { foldText } from '../fold-text.ts';
import { assertFinished, assertOurs, currentRealm, migrate } from './migrations.ts';
import { isBusy, isFull, isOvertaken, toFault } from './sqlite-fault.ts';

/** A read waits this long in the event loop for a lock, which is rare; writes never do: their waits are slept. */
const blockMsMax = 20;
const retryMs = 10;
const busyMsDefault = 5_000;
/** Larger files are checked in part: a full check reads every page. */
const fullCheckBytesMax = 64 * 1024 * 1024;

/** How a commit is kept: 'durable' survives a power cut, 'relaxed' only a crash of ours. */
export type Durability = 'durable' | 'relaxed';

/** One open store file. Everything throws or rejects with `Fault('store_unavailable')` where SQLite cannot. */
export interface SqliteDatabase {
  readonly path: string;
  readonly realm: Realm;
  prepare(sql: string): StatementSync;
  /** Runs a short read. */
  read<T>(work: () => T): T;
  /** Runs the work in one transaction, waiting for other writers without blocking the process. */
  write<T>(work: () => T, durability?: Durability): Promise<T>;
  /** Throws where the file at this path is no longer the one that was opened. */
  assertSameFile(): void;
  close(): void;
}

interface SqliteDeps {
  readonly path: string;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** How long a write waits for others in all. Default 5 s. */
  readonly busyMs?: number;
  /** Opens an unfinished copy too, which is a store for nobody but those who go on with it. Default false. */
  readonly unfinishedToo?: boolean;
}

/**
 * Opens the store file, creates it (0600, its folder 0700) or migrates it where needed, and checks that it
 * is whole. Rejects with `Fault('store_unavailable')` and a sentence that says what to do.
 */
export async function openSqlite(deps: SqliteDeps): Promise<SqliteDatabase> {
  const { path, clock, busyMs = busyMsDefault } = deps;
  const deadline = clock.monotonic() + busyMs;
  let connection: DatabaseSync | null = null;
  try {
    createFile(path);
    connection = await untilFree(() => connect(path), clock, deadline);
    return toDatabase(connection, await prepareFile(connection, deps, deadline), deps);
  } catch (error) {
    connection?.close();
    throw error instanceof Fault ? error : asFault(error, path);
  }
}

async function prepareFile(connection: DatabaseSync, deps: SqliteDeps, deadline: number): Promise<Realm> {
  const { path, clock } = deps;
  await untilFree(() => assertOurs(connection, path), clock, deadline);
  await untilFree(() => connection.exec('PRAGMA journal_mode = WAL'), clock, deadline);
  // Reads wait too: another process may just be making the log, or taking it up after a crash.
  await untilFree(() => checkWhole(connection, path), clock, deadline);
  const current = await untilFree(() => currentRealm(connection), clock, deadline);
  const realm = current ?? (await migrateAlone(connection, deps, deadline));
  if (deps.unfinishedToo !== true) await untilFree(() => assertFinished(connection, path), clock, deadline);
  return realm;
}

async function migrateAlone(connection: DatabaseSync, deps: SqliteDeps, deadline: number): Promise<Realm> {
  const { path, clock, randomBytes } = deps;
  await untilFree(() => connection.exec('BEGIN EXCLUSIVE'), clock, deadline);
  const realm = migrate(connection, path, uuidV7(clock.now(), randomBytes) as Realm);
  connection.exec('COMMIT');
  return realm;
}

/** A further connection to a file that `openSqlite` has prepared, with the settings that every connection needs. */
export function connect(path: string): DatabaseSync {
  const connection = new DatabaseSync(path, { timeout: blockMsMax, enableForeignKeyConstraints: true });
  try {
    // For searches beyond ASCII, which SQLite's own functions do not fold.
    connection.function('folded', { deterministic: true }, (text) => foldText(String(text)));
    connection.exec('PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;');
    return connection;
  } catch (error) {
    // Else the file stays open until memory runs short, and its last user does not tidy up.
    connection.close();
    throw error;
  }
}

/** Identifies the file at a path across renames; null where there is none. */
export function fileIdentity(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
}

function toDatabase(connection: DatabaseSync, realm: Realm, deps: SqliteDeps): SqliteDatabase {
  const { path, clock, busyMs = busyMsDefault } = deps;
  const identity = fileIdentity(path);

  function identityNow(): string | null {
    try {
      return fileIdentity(path);
    } catch (error) {
      throw asFault(error, path);
    }
  }

  function assertSameFile(): void {
    if (identityNow() === identity) return;
    throw new Fault(
      'store_unavailable',
      `The store file ${path} was removed or replaced while in use: restart Latchkey to use the new one.`,
    );
  }

  return {
    path,
    realm,
    assertSameFile,
    prepare: (sql) => connection.prepare(sql),
    read(work) {
      assertSameFile();
      try {
        return work();
      } catch (error) {
        throw toFault(error, path);
      }
    },
    async write(work, durability = 'durable') {
      assertSameFile();
      try {
        const attempt = () => withReserve(connection, () => transact(connection, work, durability));
        return await untilFree(attempt, clock, clock.monotonic() + busyMs);
      } catch (error) {
        throw toFault(error, path);
      }
    },
    close: () => connection.close(),
  };
}

/** All in one go: two writes of this process never meet inside a transaction. */
function transact<T>(connection: DatabaseSync, work: () => T, durability: Durability): T {
  connection.exec(
    `PRAGMA synchronous = ${durability === 'durable' ? 'FULL' : 'NORMAL'}; PRAGMA busy_timeout = 0`,
  );
  try {
    connection.exec('BEGIN IMMEDIATE');
    const result = work();
    connection.exec('COMMIT');
    return result;
  } catch (error) {
    // Some errors (disk full) have already rolled back.
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  } finally {
    connection.exec(`PRAGMA busy_timeout = ${blockMsMax}`);
  }
}

/** Tries again, where the disk is full, once the log begins anew in the room that it has. */
function withReserve<T>(connection: DatabaseSync, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (!isFull(error)) throw error;
    connection.exec('PRAGMA wal_checkpoint(RESTART)');
    return attempt();
  }
}

/** Tries until the lock is free; sleeps between tries, so that requests go on. Rethrows at the deadline. */
async function untilFree<T>(attempt: () => T, clock: Clock, deadline: number): Promise<T> {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!(isBusy(error) || isOvertaken(error)) || clock.monotonic() >= deadline) throw error;
    }
    await delay(retryMs);
  }
}

function createFile(path: string): void {
  makeFolder(dirname(path));
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    // An existing file is not opened here: closing it would drop the locks of other connections we hold.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // SQLite would open it all the same, and every change would fail.
    accessSync(path, constants.R_OK | constants.W_OK);
  }
}

/**
 * Throws `Fault('store_unavailable')` where the file is damaged. Small files are checked whole; of large ones what the start itself relies on, since every
 * page would be read.
 */
export function checkWhole(connection: DatabaseSync, path: string): void {
  const isSmall = statSync(path).size <= fullCheckBytesMax;
  for (const check of isSmall ? ['quick_check(1)'] : ['quick_check(users)', 'quick_check(journal)']) {
    const found = Object.values(connection.prepare(`PRAGMA ${check}`).get() ?? {})[0];
    if (found === 'ok') continue;
    throw new Fault(
      'store_unavailable',
      `The store ${path} is damaged (${String(found)}): stop Latchkey and restore a backup.`,
    );
  }
}

function asFault(error: unknown, path: string): unknown {
  const mapped = toFault(error, path);
  if (mapped !== error || !(error instanceof Error)) return mapped;
  const { code } = error as NodeJS.ErrnoException;
  const sentence =
    code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
      ? `may not be opened or made by this user (${code}): check who owns the file and its folder, or name another as the store.`
      : code === 'EEXIST' || code === 'ENOTDIR'
        ? 'cannot be made: its folder is a file; name another as the store.'
        : code === 'ENOENT'
          ? 'cannot be made: there can be no folder of that name; name another as the store.'
          : `cannot be opened: ${error.message}`;
  return new Fault('store_unavailable', `The store ${path} ${sentence}`, error);
}
