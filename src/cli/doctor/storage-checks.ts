import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../config/config.ts';
import type { PostgresConfig, SqliteConfig } from '../../config/store-config.ts';
import { formatSize } from '../../config/quantities.ts';
import { fail, ok, skip, warn, type Finding } from './finding.ts';
import { checkPostgres, type PostgresReport } from './postgres-checks.ts';
import { type TableState, tableStates } from './table-states.ts';

/** What Redis says of itself. */
export interface RedisReport {
  readonly version: string;
  readonly roundTripMs: number;
  /** Null where this user may not ask for it. */
  readonly maxmemoryPolicy: string | null;
  /** Bytes; 0 is without limit, null is not known. */
  readonly maxmemory: number | null;
}

/** What the doctor asks of storage. All reject with a sentence that holds no secret. */
export interface DoctorProbes {
  /** Opens the store's file, looks whether it is whole, and changes nothing. Called only where the file exists. */
  readonly sqlite: (config: SqliteConfig) => Promise<{ readonly state: TableState }>;
  /** Connects to PostgreSQL, looks, and changes nothing. */
  readonly postgres: (config: PostgresConfig) => Promise<PostgresReport>;
  /** Looks for the peppers that the store's tokens need; false where the first start makes one. Makes nothing. */
  readonly peppers: (config: Config) => Promise<boolean>;
  /** Connects, asks, and disconnects. */
  readonly redis: (config: NonNullable<Config['redis']>) => Promise<RedisReport>;
}

/** Folder, files and their permissions, the store, and Redis. */
export async function checkStorage(config: Config, probes: DoctorProbes): Promise<readonly Finding[]> {
  const { store } = config;
  const kept =
    store.kind === 'sqlite'
      ? [await checkFile(store, probes)]
      : await checkPostgres(config, store, probes.postgres);
  return [
    checkFolder(config.dataDir),
    ...checkPrivate(config),
    ...kept,
    ...(kept.some(({ level }) => level === 'fail') ? [] : [await checkPeppers(config, probes)]),
    ...checkSpoolSpace(config),
    ...(config.redis ? [await checkRedis(config.redis, probes)] : []),
  ];
}

function checkFolder(folder: string): Finding {
  const subject = `data folder ${folder}`;
  const existing = nearestExisting(folder);
  if (!statSync(existing).isDirectory()) {
    return fail(subject, `${existing} is a file`, 'name a folder in `dataDir`');
  }
  if (!mayWrite(existing)) {
    const advice = `let this user write there: chown it to uid ${process.getuid?.() ?? '?'}, or name another in \`dataDir\``;
    return fail(
      subject,
      existing === folder ? 'may not be written' : `cannot be made in ${existing}`,
      advice,
    );
  }
  return ok(subject, existing === folder ? 'may be written' : 'will be made at the first start');
}

/** Store, pepper and signing key are worth as much as every token together. */
function checkPrivate(config: Config): readonly Finding[] {
  const files = filesIn(config.dataDir).map((name) => join(config.dataDir, name));
  const candidates = [...new Set([config.dataDir, ...storeFiles(config), ...files])].filter((path) =>
    existsSync(path),
  );
  const open = candidates.filter((path) => (statSync(path).mode & 0o077) !== 0);
  if (candidates.length === 0) return [];
  // A closed folder keeps everybody out, whatever the modes inside it say.
  const shielded = isPrivate(config.dataDir) ? open.filter((path) => dirname(path) !== config.dataDir) : open;
  if (shielded.length === 0) return [ok('permissions', 'only this user may read the data')];
  const message = `others may look into ${shielded.join(', ')}`;
  return [warn('permissions', message, `chmod go-rwx ${shielded.join(' ')}`)];
}

function storeFiles({ store }: Config): readonly string[] {
  return store.kind === 'sqlite' ? [store.path] : [];
}

/** Empty where the folder cannot be listed, which has a line of its own. */
function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isPrivate(folder: string): boolean {
  return existsSync(folder) && (statSync(folder).mode & 0o077) === 0;
}

async function checkFile(store: SqliteConfig, probes: DoctorProbes): Promise<Finding> {
  const subject = `store ${store.path}`;
  if (!existsSync(store.path)) {
    const folder = nearestExisting(dirname(store.path));
    if (mayWrite(folder)) return ok(subject, 'will be made at the first start');
    return fail(
      subject,
      `cannot be made in ${folder}`,
      'let this user write there, or name another file in `store`',
    );
  }
  try {
    const { state } = await probes.sqlite(store);
    return ok(subject, `opens and is whole; ${tableStates[state]}`);
  } catch (error) {
    const advice = 'stop what holds the file, correct its permissions, or restore it from a backup';
    return fail(subject, error instanceof Error ? error.message : 'cannot be opened', advice);
  }
}

/** Without the pepper of its tokens a gateway does not start. */
async function checkPeppers(config: Config, probes: DoctorProbes): Promise<Finding> {
  const subject = config.peppers === null ? `pepper ${join(config.dataDir, 'pepper')}` : 'peppers';
  try {
    const found = await probes.peppers(config);
    return ok(subject, found ? 'understands every token of the store' : 'will be made at the first start');
  } catch (error) {
    const advice = '`latchkey serve` will not start before; tokens can be revoked in the meantime';
    return fail(subject, error instanceof Error ? error.message : 'cannot be read', advice);
  }
}

function checkSpoolSpace(config: Config): readonly Finding[] {
  if (!config.routes.some((route) => route.spool)) return [];
  const { bavail, bsize } = statfsSync(nearestExisting(config.dataDir));
  const free = bavail * bsize;
  const wanted = formatSize(config.limits.spoolBytes);
  if (free >= config.limits.spoolBytes) return [ok('spool', `room for an upload of ${wanted}`)];
  const message = `${formatSize(Math.floor(free / 2 ** 20) * 2 ** 20)} are free, and one upload may take ${wanted}`;
  return [warn('spool', message, 'make room, move `dataDir`, or lower `limits.spool`')];
}

async function checkRedis(config: NonNullable<Config['redis']>, probes: DoctorProbes): Promise<Finding> {
  const subject = `Redis ${config.nodes.join(', ')}`;
  try {
    const report = await probes.redis(config);
    const summary = `answers in ${report.roundTripMs.toFixed(1)} ms, version ${report.version}`;
    if (report.maxmemoryPolicy === 'noeviction' && report.maxmemory !== null && report.maxmemory > 0) {
      const advice =
        'set maxmemory-policy to allkeys-lru: everything kept there can be read from the store again';
      return warn(subject, `${summary}; when it is full, it refuses writes`, advice);
    }
    return ok(subject, summary);
  } catch (error) {
    const message = error instanceof Error ? error.message : 'cannot be asked';
    const advice =
      'start it, or correct `redis`; until then each gateway asks the store for what it does not remember';
    return fail(subject, message, advice);
  }
}

/** The line for storage that was not looked at because the configuration is wrong. */
export function storageSkipped(): Finding {
  return skip('storage', 'not looked at: the configuration has to be right first');
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
