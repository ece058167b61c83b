import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Config } from '../config/config.ts';
import { writeBackup } from '../contents/backup-writer.ts';
import { type RestoreOutcome, restoreBackup } from '../contents/restore.ts';
import type { TableSummary } from '../contents/summary.ts';
import type { Clock } from '../core/clock.ts';
import { Fault } from '../core/errors.ts';
import type { Realm } from '../core/ids.ts';
import { makeFolder } from '../core/make-folder.ts';
import { systemRandom } from '../core/random.ts';
import { uuidV7 } from '../core/uuid.ts';
import { openStore } from './store.ts';
import { storeContents } from './store-contents.ts';

/** A file of the data folder that a gateway makes itself where the configuration does not say what belongs in it. */
interface OwnFile {
  readonly name: 'pepper' | 'assertion-key.pem';
  readonly isOwn: (config: Config) => boolean;
}

const ownFiles: readonly OwnFile[] = [
  { name: 'pepper', isOwn: ({ peppers }) => peppers === null },
  { name: 'assertion-key.pem', isOwn: ({ assertionKey }) => assertionKey === null },
];

/** What is in a new backup. */
export interface BackupReport {
  readonly made: string;
  readonly tables: readonly TableSummary[];
  /** Names of files of the data folder. */
  readonly files: readonly string[];
}

/**
 * Writes store and own secrets into a new file. Changes nothing else, and disturbs no gateway that runs.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function backUp(config: Config, file: string, clock: Clock, by: string): Promise<BackupReport> {
  const view = await (await storeContents(config.store, clock)).view();
  try {
    const made = new Date(clock.now()).toISOString();
    const files = readOwnFiles(config);
    const tables = await writeBackup(view, { made, by, files }, file);
    return { made, tables, files: Object.keys(files) };
  } finally {
    await view.close();
  }
}

/** A restore, and what its gateway will still lack. */
export type Restored = RestoreOutcome & {
  /** Why no gateway starts on it yet; null where one does. */
  readonly lacks: string | null;
};

/**
 * Puts a backup into the empty store and the data folder of the configuration: all of it or nothing.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function restore(config: Config, file: string, clock: Clock): Promise<Restored> {
  const realm = uuidV7(clock.now(), systemRandom) as Realm;
  const outcome = await restoreBackup({
    file,
    realm,
    to: await storeContents(config.store, clock),
    beforeRows: ({ files }) => writeOwnFiles(config, files),
  });
  return { ...outcome, lacks: outcome.kind === 'restored' ? await lackOf(config, clock) : null };
}

/** The same look that a gateway takes when it starts. */
async function lackOf(config: Config, clock: Clock): Promise<string | null> {
  const store = await openStore(config, clock);
  try {
    await store.findPeppers();
    return null;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  } finally {
    await store.close();
  }
}

function readOwnFiles(config: Config): Readonly<Record<string, string>> {
  const there = ownFiles.filter(
    ({ name, isOwn }) => isOwn(config) && existsSync(path.join(config.dataDir, name)),
  );
  return Object.fromEntries(there.map(({ name }) => [name, readOwn(path.join(config.dataDir, name))]));
}

/** All that the backup has and the configuration does not give; what is there already must be the same. */
function writeOwnFiles(config: Config, files: Readonly<Record<string, string>>): void {
  const missing = ownFiles.flatMap(({ name, isOwn }) => {
    const [text, file] = [files[name], path.join(config.dataDir, name)];
    if (text === undefined || !isOwn(config)) return [];
    if (!existsSync(file)) return [{ file, text }];
    if (readOwn(file) === text) return [];
    throw new Fault(
      'store_unavailable',
      `There is another ${file} than in the backup: nothing was changed; move it away, or name an empty \`dataDir\`.`,
    );
  });
  for (const { file, text } of missing) writeOwn(file, text);
}

function readOwn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Fault('store_unavailable', `The file ${file} cannot be read: check its permissions.`, error);
  }
}

function whyUnwritten(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' ? 'the disk is full; make room there' : `check its folder (${code ?? 'unknown'})`;
}

/** Made whole under another name first, as whoever made it did. */
function writeOwn(file: string, text: string): void {
  const draft = `${file}.${randomUUID()}`;
  try {
    makeFolder(path.dirname(file));
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(draft, file);
  } catch (error) {
    throw new Fault(
      'store_unavailable',
      `The file ${file} cannot be written: ${whyUnwritten(error)}.`,
      error,
    );
  } finally {
    if (existsSync(draft)) rmSync(draft);
  }
}
