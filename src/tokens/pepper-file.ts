import { Buffer } from 'node:buffer';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PepperConfig } from '../config/config.ts';
import { Fault } from '../core/errors.ts';
import { makeFolder } from '../core/make-folder.ts';
import type { RandomBytes } from '../core/random.ts';
import { createPeppers, type Peppers } from './digest.ts';
import type { TokenStore } from './token-store.ts';

interface PepperDeps {
  /** From the configuration; null: the file is used, and made at the first start. */
  readonly configured: readonly PepperConfig[] | null;
  /** `pepper` in the data folder. */
  readonly file: string;
  readonly store: Pick<TokenStore, 'pepperIdsInUse'>;
  readonly randomBytes: RandomBytes;
}

/**
 * The peppers to work with: those configured, else those of the file, else a new one written to the file
 * (mode 0600). Rejects like `findPeppers`.
 */
export async function openPeppers({ randomBytes, ...place }: PepperDeps): Promise<Peppers> {
  return (await findPeppers(place)) ?? createPeppers(createPepperFile(place.file, randomBytes));
}

/**
 * The peppers that are there, or null where the first start will make one; writes nothing. Rejects with
 * `Fault('store_unavailable')` where the file cannot be used, or the store holds tokens that no pepper
 * understands: going on would refuse those tokens one by one, as if they had never existed.
 */
export async function findPeppers({
  configured,
  file,
  store,
}: Omit<PepperDeps, 'randomBytes'>): Promise<Peppers | null> {
  const needed = await store.pepperIdsInUse();
  const found = configured ?? readPepperFile(file);
  if (found === null) {
    if (needed.length === 0) return null;
    throw new Fault(
      'store_unavailable',
      `The store holds tokens, but the pepper file ${file} that made them is missing: put it back from a backup, or ` +
        'copy it from the dataDir of a gateway that has it. If it is lost those tokens are dead: stop every gateway, ' +
        'then move the store away or name an empty one, start again and make new ones.',
    );
  }
  const peppers = createPeppers(found);
  const missing = needed.filter((id) => !peppers.ids.includes(id));
  if (missing.length > 0) {
    throw new Fault(
      'store_unavailable',
      `The store holds tokens under the pepper ${missing.map((id) => `"${id}"`).join(', ')}, which is not ` +
        `${configured === null ? `in ${file}` : 'among the configured peppers'}: add it there, after the first.`,
    );
  }
  return peppers;
}

/** One pepper a line, `ID SECRET`, the signing one first; null where there is no file. */
function readPepperFile(file: string): readonly PepperConfig[] | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Fault(
      'store_unavailable',
      `The pepper file ${file} cannot be read: check its permissions.`,
      error,
    );
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const peppers = lines.map((line) => /^([A-Za-z0-9_-]{1,64}) ([A-Za-z0-9_-]{43,})$/.exec(line.trim()));
  const ids = new Set(peppers.map((parts) => parts?.[1]));
  if (peppers.length === 0 || peppers.includes(null) || ids.size !== peppers.length) {
    throw new Fault(
      'store_unavailable',
      `The pepper file ${file} is damaged: each line holds an id and a secret of at least 43 letters and ` +
        'digits, no id twice. Put it back from a backup.',
    );
  }
  return peppers.map((parts) => ({ id: parts?.[1] ?? '', secret: parts?.[2] ?? '' }));
}

/** Made whole under another name first: whoever comes second at the first start finds all of it or none. */
function createPepperFile(file: string, randomBytes: RandomBytes): readonly PepperConfig[] {
  const id = Buffer.from(randomBytes(4)).toString('hex');
  const secret = Buffer.from(randomBytes(32)).toString('base64url');
  const draft = `${file}.${id}`;
  try {
    makeFolder(dirname(file));
    writeFileSync(draft, `${id} ${secret}\n`, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new Fault(
        'store_unavailable',
        `The pepper file ${file} cannot be written: check its folder and the room on its disk.`,
        error,
      );
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return readPepperFile(file) ?? [{ id, secret }];
}
