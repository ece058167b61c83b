import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { pipeline } from 'node:stream';
import { Fault } from '../core/errors.ts';
import { type BackupHeading, headingOf, isBackupHeading, isRowOf } from './backup-format.ts';
import { startSum, type TableSum, type TableSummary } from './summary.ts';
import { contentsVersion, type Row, type Table, tables } from './tables.ts';

const rowsAtOnce = 2_000;
/** Fewer rows at once where they are long: what is handed on is held in memory whole. */
const bytesAtOnce = 8 * 1024 * 1024;
/** No row comes near it: what is longer is something else. */
const lineBytesMax = 16 * 1024 * 1024;

/** A backup that was read to its end and is whole. */
export interface WholeBackup {
  readonly heading: BackupHeading;
  readonly summaries: readonly TableSummary[];
}

/**
 * What a reader hands on as it comes by, at most 2,000 rows at a time, and about 8 MiB of them; nobody knows yet whether the
 * file is whole.
 */
export interface BackupTaker {
  rows(table: Table, rows: readonly Row[]): Promise<void>;
}

/**
 * Reads a backup to its end, and hands its rows on in the order of `tables`. Rejects with
 * `Fault('store_unavailable')` where the file cannot be read, is no backup, is one of a newer program, or is not, to the
 * last byte, what was written.
 */
export async function readBackup(file: string, taker: BackupTaker): Promise<WholeBackup> {
  const lines = linesOf(file);
  try {
    const first = (await lines.next()).value ?? '';
    const heading = readHeading(first, file);
    const hash = createHash('sha256').update(`${first}\n`);
    return { heading, summaries: await readTables(lines, hash, taker) };
  } catch (error) {
    throw error instanceof Fault ? error : asFault(error, file);
  } finally {
    await lines.return(undefined);
  }
}

/** What is wrong inside a backup; what exactly is of no use to anybody. */
class Damage extends Error {}

function readHeading(line: string, file: string): BackupHeading {
  const heading = parsed(line);
  if (!isBackupHeading(heading)) throw noBackup(file);
  if (heading.version > contentsVersion) {
    throw new Fault(
      'store_unavailable',
      `The backup ${file} was made by a newer Latchkey (${heading.by}, contents ${heading.version}, this one knows ` +
        `${contentsVersion}): nothing was changed; restore it with that version.`,
    );
  }
  return heading;
}

async function readTables(
  lines: AsyncGenerator<string, undefined>,
  hash: Hash,
  taker: BackupTaker,
): Promise<readonly TableSummary[]> {
  const coming = [...tables];
  const summaries: TableSummary[] = [];
  let current: Current | null = null;
  for await (const line of lines) {
    const value = parsed(line);
    if (current !== null && isRowOf(current.table, value)) {
      hash.update(`${line}\n`);
      current.sum.add(`${line}\n`);
      current.rows.push(value);
      current.bytes += Buffer.byteLength(line);
      if (current.rows.length >= rowsAtOnce || current.bytes >= bytesAtOnce) await handOn(current, taker);
      continue;
    }
    if (current !== null) summaries.push(await ended(current, taker));
    const next = coming.shift();
    if (next === undefined) {
      if (line !== JSON.stringify({ end: summaries, sha256: hash.digest('hex') })) throw new Damage();
      if ((await lines.next()).done !== true) throw new Damage();
      return summaries;
    }
    if (line !== JSON.stringify(headingOf(next))) throw new Damage();
    hash.update(`${line}\n`);
    current = { table: next, sum: startSum(next.name), rows: [], bytes: 0 };
  }
  throw new Damage();
}

/** The table whose rows come by. */
interface Current {
  readonly table: Table;
  readonly sum: TableSum;
  /** Those not handed on yet, and how much text they are. */
  rows: Row[];
  bytes: number;
}

async function handOn(current: Current, taker: BackupTaker): Promise<void> {
  const { table, rows } = current;
  current.rows = [];
  current.bytes = 0;
  if (rows.length > 0) await taker.rows(table, rows);
}

async function ended(current: Current, taker: BackupTaker): Promise<TableSummary> {
  await handOn(current, taker);
  return current.sum.summary();
}

/** Undefined where it is no JSON: neither row nor heading. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The lines of a packed file, whole ones only. Not by `readline`, which ends lines where JSON does not. */
async function* linesOf(file: string): AsyncGenerator<string, undefined> {
  const unpacked = createGunzip();
  const source = pipeline(createReadStream(file), unpacked, () => undefined);
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let from = 0;
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      const piece = chunk.subarray(from, to);
      yield (rest.length === 0 ? piece : Buffer.concat([...rest, piece])).toString('utf8');
      rest = [];
      restBytes = 0;
      from = to + 1;
    }
    rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    if (restBytes > lineBytesMax) throw new Damage();
  }
  if (restBytes > 0) throw new Damage();
  return undefined;
}

function noBackup(file: string): Fault {
  return new Fault('store_unavailable', `${file} is no backup that Latchkey made: nothing was changed.`);
}

function asFault(error: unknown, file: string): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'errno' in error && 'code' in error ? String(error.code) : '';
  if (code === 'Z_DATA_ERROR' && /incorrect header/.test(error.message)) return noBackup(file);
  if (error instanceof Damage || code.startsWith('Z_')) {
    return new Fault(
      'store_unavailable',
      `The backup ${file} is damaged or was cut off: nothing was changed; use another.`,
      error,
    );
  }
  return code === ''
    ? error
    : new Fault('store_unavailable', `The backup ${file} cannot be read: ${code}.`, error);
}
