import { type FileHandle, open } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';
import type { Clock } from '../../core/clock.ts';
import { foldUserName, type UserNameKey } from '../../core/user-name.ts';

/** Files beyond this are some other file. */
const bytesMax = 16 * 1024 * 1024;
/** A file changed as recently as this may be changing still, or again within the same tick of its clock. */
const settledMs = 2_000;
const readsMax = 5;

/** One line of the file. */
export interface HtpasswdEntry {
  readonly name: string;
  readonly hash: string;
}

/** What the file holds at one moment. */
export interface HtpasswdEntries {
  /** By folded name; where several lines share one, the first counts, as in Apache. */
  readonly byName: ReadonlyMap<UserNameKey, HtpasswdEntry>;
  /** False while the file may still be being written: what is not in it may be about to come. */
  readonly settled: boolean;
}

/** Reads the file again when it has changed; rejects with the system's error where it cannot be read. */
export interface HtpasswdFile {
  read(): Promise<HtpasswdEntries>;
}

interface Snapshot {
  readonly mark: string;
  readonly changedAt: number;
  readonly byName: HtpasswdEntries['byName'];
}

/** Asks the system about the file every time: nothing can be missed that a watcher would have to be told of. */
export function createHtpasswdFile(path: string, clock: Pick<Clock, 'now'>): HtpasswdFile {
  let kept: Snapshot | null = null;
  return {
    async read() {
      const handle = await open(path, 'r');
      try {
        const stats = await handle.stat({ bigint: true });
        const isSettled = (changedAt: number): boolean => Math.abs(clock.now() - changedAt) > settledMs;
        // What was read while the file was fresh is read again: a change within the same tick leaves no mark.
        if (kept === null || kept.mark !== markOf(stats) || !isSettled(kept.changedAt)) {
          kept = await readWhole(handle, stats);
        }
        return { byName: kept.byName, settled: isSettled(kept.changedAt) };
      } finally {
        await handle.close();
      }
    },
  };
}

/** Read until nothing changed meanwhile; a file that never rests is taken as it is, and counts as unsettled. */
async function readWhole(handle: FileHandle, first: BigIntStats): Promise<Snapshot> {
  let stats = first;
  for (let round = 1; ; round++) {
    if (stats.size > bytesMax) throw new RangeError(`The file has more than ${bytesMax} bytes.`);
    const bytes = Buffer.alloc(Number(stats.size));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    const after = await handle.stat({ bigint: true });
    if (markOf(after) === markOf(stats) || round === readsMax) {
      const changedAt = Number((after.mtimeNs > after.ctimeNs ? after.mtimeNs : after.ctimeNs) / 1_000_000n);
      return { mark: markOf(after), changedAt, byName: parse(bytes.toString('utf8', 0, bytesRead)) };
    }
    stats = after;
  }
}

function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

function parse(text: string): HtpasswdEntries['byName'] {
  const byName = new Map<UserNameKey, HtpasswdEntry>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, hash] = /^([^:#][^:]*):([^:]*)/.exec(line) ?? [];
    if (name === undefined || hash === undefined) continue;
    const key = foldUserName(name);
    if (!byName.has(key)) byName.set(key, { name, hash: hash.trim() });
  }
  return byName;
}
