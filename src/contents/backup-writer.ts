import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream, existsSync, linkSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Fault } from '../core/errors.ts';
import { type BackupEnding, type BackupHeading, headingOf } from './backup-format.ts';
import type { ContentsView } from './store-contents.ts';
import { rowLine, startSum, type TableSummary } from './summary.ts';
import { contentsVersion, tables } from './tables.ts';

/** Digests do not get smaller by trying harder. */
const level = 3;

/** What stands in a backup beside the rows. */
export type BackupFacts = Pick<BackupHeading, 'made' | 'by' | 'files'>;

/**
 * Writes everything that the view shows into a new file, readable by this user alone; it is there when it is whole.
 * Rejects with `Fault('store_unavailable')` where a file is there already, or none can be made.
 */
export async function writeBackup(
  view: ContentsView,
  facts: BackupFacts,
  file: string,
): Promise<readonly TableSummary[]> {
  const draft = `${file}.${randomUUID()}`;
  const summaries: TableSummary[] = [];
  try {
    const target = createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(Readable.from(chunks(view, facts, summaries)), createGzip({ level }), target);
    linkSync(draft, file);
    return summaries;
  } catch (error) {
    throw error instanceof Fault ? error : asFault(error, file);
  } finally {
    // Where it could not be made it cannot be looked for either.
    if (existsSync(draft)) rmSync(draft);
  }
}

async function* chunks(
  view: ContentsView,
  facts: BackupFacts,
  summaries: TableSummary[],
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const hashed = (lines: string): Buffer => {
    const bytes = Buffer.from(lines);
    hash.update(bytes);
    return bytes;
  };
  const { made, by, files } = facts;
  const heading: BackupHeading = { latchkey: 'backup', version: contentsVersion, made, by, files };
  yield hashed(line(heading));
  for (const table of tables) {
    yield hashed(line(headingOf(table)));
    const sum = startSum(table.name);
    for await (const rows of view.rows(table)) {
      const lines = rows.map(rowLine);
      for (const each of lines) sum.add(each);
      yield hashed(lines.join(''));
    }
    summaries.push(sum.summary());
  }
  yield Buffer.from(line({ end: summaries, sha256: hash.digest('hex') } satisfies BackupEnding));
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

function asFault(error: unknown, file: string): unknown {
  if (!(error instanceof Error && 'errno' in error && 'code' in error)) return error;
  const sentence =
    {
      EEXIST: 'is there already and stays as it is: name another file, or move that one away',
      ENOENT: 'cannot be made: its folder is not there',
      ENOTDIR: 'cannot be made: its folder is a file; name a file elsewhere',
      EACCES: 'cannot be made: this user may not write to its folder; let it, or name a file elsewhere',
      EROFS: 'cannot be made: its folder cannot be written to; name a file elsewhere',
      ENOSPC: 'cannot be written: the disk is full; make room there',
    }[String(error.code)] ?? `cannot be written: ${String(error.code)}`;
  return new Fault('store_unavailable', `The backup ${file} ${sentence}.`, error);
}
