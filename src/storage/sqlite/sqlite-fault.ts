import { Fault } from '../../core/errors.ts';

const full = 13;
/** SQLITE_IOERR_SHMSIZE: how a disk that is full shows where a file is opened. */
const noRoomToOpen = 4874;

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that have advice of their own. */
const advice: Readonly<Record<number, string>> = {
  5: 'is locked by another process; try again in a moment',
  6: 'is locked by another connection; try again in a moment',
  8: 'cannot be written: check the permissions of the file and its folder',
  10: 'cannot be read or written: the disk reports an error',
  11: 'is damaged: stop Latchkey and restore a backup',
  [full]: 'cannot grow: the disk is full; make room there',
  14: 'cannot be opened: check that it is a file which this user may read and write, and that its folder exists and may be written',
  26: 'is not an SQLite database: name another file as the store',
};
const busy = 5;
const constraint = 19;

/** Whether another connection holds the lock that was wanted. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === busy;
}

/** Whether a row was refused because another has the same key, or none has the one it names. */
export function isConstraint(error: unknown): boolean {
  return primaryCode(error) === constraint;
}

/**
 * Whether another process, making or leaving the same file just now, took a file beside it away (SQLITE_IOERR_FSTAT,
 * SQLITE_IOERR_DELETE_NOENT): nothing is wrong, and the next try finds it settled.
 */
export function isOvertaken(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 1802 || error.errcode === 5898);
}

/** Whether the disk, or the file for its limit, had no room for what was to be written. */
export function isFull(error: unknown): boolean {
  return primaryCode(error) === full;
}

/**
 * What SQLite reports, as `Fault('store_unavailable')` with a sentence that names the file. Constraint
 * violations and everything that is not SQLite's are bugs and returned as they are.
 */
export function toFault(error: unknown, path: string): unknown {
  const code = primaryCode(error);
  const sentence = code === null ? undefined : advice[code];
  if (sentence === undefined) return error;
  return new Fault('store_unavailable', `The store ${path} ${sentence}.`, error);
}

function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return null;
  return error.errcode === noRoomToOpen ? full : error.errcode & 0xff;
}
