import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Change } from '../../core/change.ts';
import type { Clock } from '../../core/clock.ts';
import type { ChangeFeed, ChangeListener } from '../../tokens/change-feed.ts';
import { connect, fileIdentity } from './database.ts';
import { replayedMs, toChange } from '../record-rows.ts';

const pollEveryMs = 50;
/** A look that took longer than this (the process was stopped meanwhile) does not show that nothing is missing now. */
const lookMsMax = 500;
const rowsAtOnce = 10_000;

interface JournalFeedDeps {
  readonly path: string;
  readonly clock: Clock;
  /** Calls back every `everyMs` until the returned function is called. Default: an unreferenced timer. */
  readonly every?: (everyMs: number, callBack: () => void) => () => void;
}

interface Reader {
  readonly connection: DatabaseSync;
  readonly dataVersion: StatementSync;
  readonly bounds: StatementSync;
  readonly since: StatementSync;
  readonly fileIdentity: string;
}

/**
 * The journal of a store file that `openSqlite` has prepared, as a channel. Looks every 50 ms whether any
 * process has committed. Silent where the file cannot be read or is no longer the one that was opened.
 * Reports the last 15 minutes at the start.
 */
export class JournalFeed implements ChangeFeed {
  readonly name = 'journal';
  readonly #deps: JournalFeedDeps;
  #reader: Reader | null = null;
  #stopTimer: (() => void) | null = null;
  /** Last entry read; null before the first successful look. */
  #position: number | null = null;
  #seenVersion: unknown = null;

  constructor(deps: JournalFeedDeps) {
    this.#deps = deps;
  }

  async start(listener: ChangeListener): Promise<void> {
    this.#look(listener);
    this.#stopTimer = (this.#deps.every ?? unreferencedTimer)(pollEveryMs, () => this.#look(listener));
  }

  async stop(): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = null;
    this.#reader?.connection.close();
    this.#reader = null;
  }

  #look(listener: ChangeListener): void {
    const { clock, path } = this.#deps;
    const [monotonic, wall] = [clock.monotonic(), clock.now()];
    try {
      const identity = fileIdentity(path);
      // Opening would create an empty file.
      if (identity === null) return;
      this.#reader ??= openReader(path, identity);
      if (identity !== this.#reader.fileIdentity) return;
      this.#report(this.#reader, listener);
    } catch {
      // Silence is the report: whoever listens stops trusting caches.
      return;
    }
    const tookMs = Math.max(clock.monotonic() - monotonic, Math.abs(clock.now() - wall));
    if (tookMs <= lookMsMax) listener.heard();
  }

  #report(reader: Reader, listener: ChangeListener): void {
    const version = reader.dataVersion.get()?.['data_version'];
    if (version === this.#seenVersion) return;
    const bounds = reader.bounds.get(this.#deps.clock.now() - replayedMs);
    const oldest = Number(bounds?.['oldest'] ?? 1);
    const newest = Number(bounds?.['newest'] ?? 0);
    if (this.#position === null) this.#position = Number(bounds?.['replayed'] ?? newest + 1) - 1;
    else if (this.#position < oldest - 1 || this.#position > newest) {
      listener.gap();
      this.#position = newest;
    }
    for (let rows = this.#next(reader); rows.length > 0; rows = this.#next(reader)) listener.changed(rows);
    this.#seenVersion = version;
  }

  #next(reader: Reader): readonly Change[] {
    const rows = reader.since.all(this.#position ?? 0, rowsAtOnce);
    this.#position = Number(rows.at(-1)?.['seq'] ?? this.#position);
    return rows.map(toChange);
  }
}

function openReader(path: string, identity: string): Reader {
  const connection = connect(path);
  try {
    connection.exec('PRAGMA query_only = ON');
    return {
      connection,
      fileIdentity: identity,
      dataVersion: connection.prepare('PRAGMA data_version'),
      bounds: connection.prepare(`
        SELECT min(seq) AS oldest, max(seq) AS newest,
          (SELECT min(seq) FROM journal WHERE at >= ?) AS replayed
        FROM journal`),
      since: connection.prepare('SELECT * FROM journal WHERE seq > ? ORDER BY seq LIMIT ?'),
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

function unreferencedTimer(everyMs: number, callBack: () => void): () => void {
  const timer = setInterval(callBack, everyMs).unref();
  return () => clearInterval(timer);
}
