import { type Clock, readClocks } from '../../core/clock.ts';
import type { ChangeFeed, ChangeListener } from '../../tokens/change-feed.ts';
import { replayedMs, toChange } from '../record-rows.ts';
import type { Row } from '../row.ts';
import type { PostgresDatabase } from './database.ts';
import { journalChannel } from './records.ts';
import type { Session } from './session.ts';
import { bind, prepared } from './statement.ts';

const pollEveryMs = 1_000;
/** A look that took longer than this does not show that nothing is missing now. */
const lookMsMax = 500;
/** A connection that does not answer within this is broken off, and another made. */
const silenceMsMax = 1_000;
const rowsAtOnce = 10_000;

interface JournalFeedDeps {
  readonly database: Pick<PostgresDatabase, 'newSession' | 'distrust'>;
  readonly clock: Clock;
  /** Time to connect. */
  readonly connectTimeoutMs: number;
  /** Calls back every `everyMs` until the returned function is called. Default: an unreferenced timer. */
  readonly every?: (everyMs: number, callBack: () => void) => () => void;
}

const newest = prepared('SELECT * FROM journal ORDER BY seq DESC LIMIT 1');
const replayed = prepared(`
  SELECT * FROM journal WHERE seq >= (SELECT min(seq) FROM journal WHERE at >= :since) ORDER BY seq`);
/** From the entry read last, which has to be there still. */
const since = prepared(`SELECT * FROM journal WHERE seq >= :seq ORDER BY seq LIMIT ${rowsAtOnce}`);

/**
 * The journal of a PostgreSQL database as a channel, over a connection of its own: looks whenever a commit is announced,
 * and every second. Silent where the server does not answer in time, cannot be reached, or is not the primary any more.
 * Reports the last 15 minutes at the start.
 */
export class PostgresJournalFeed implements ChangeFeed {
  readonly name = 'journal';
  readonly #deps: JournalFeedDeps;
  #session: Session | null = null;
  #stopTimer: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #isAnnounced = false;
  #isStopped = false;
  /** The entry read last; null in an empty journal; undefined before the first look. */
  #last: Row | null | undefined = undefined;

  constructor(deps: JournalFeedDeps) {
    this.#deps = deps;
  }

  async start(listener: ChangeListener): Promise<void> {
    await this.#look(listener);
    this.#stopTimer = (this.#deps.every ?? unreferencedTimer)(pollEveryMs, () => void this.#look(listener));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopTimer?.();
    this.#session?.breakOff();
    await this.#running;
    this.#session = null;
  }

  /** One look at a time; what is announced meanwhile is looked at afterwards. */
  #look(listener: ChangeListener): Promise<void> {
    this.#isAnnounced = this.#running !== null;
    this.#running ??= this.#lookOnce(listener).finally(() => {
      this.#running = null;
      if (this.#isAnnounced && !this.#isStopped) void this.#look(listener);
    });
    return this.#running;
  }

  async #lookOnce(listener: ChangeListener): Promise<void> {
    if (this.#isStopped) return;
    const { clock } = this.#deps;
    let timer: NodeJS.Timeout | undefined;
    try {
      const session = await this.#connected(listener);
      timer = setTimeout(() => this.#giveUp(session), silenceMsMax);
      const began = readClocks(clock);
      await this.#report(session, listener);
      const ended = readClocks(clock);
      const tookMs = Math.max(ended.monotonic - began.monotonic, Math.abs(ended.wall - began.wall));
      if (tookMs <= lookMsMax && session.refusal() === null) listener.heard();
    } catch {
      // Silence is the report: whoever listens stops trusting caches.
      this.#session?.breakOff();
      this.#session = null;
    } finally {
      clearTimeout(timer);
    }
  }

  #giveUp(session: Session): void {
    this.#deps.database.distrust();
    session.breakOff();
  }

  async #connected(listener: ChangeListener): Promise<Session> {
    if (this.#session !== null) return this.#session;
    const session = this.#deps.database.newSession();
    const timer = setTimeout(() => session.breakOff(), this.#deps.connectTimeoutMs);
    try {
      await session.connect();
      session.on('notification', () => void this.#look(listener));
      session.on('end', () => {
        if (this.#session !== session) return;
        this.#session = null;
        if (!this.#isStopped) void this.#look(listener);
      });
      // Before the first look, so that nothing is committed between the two unheard.
      await session.query(`LISTEN ${journalChannel}`);
    } catch (error) {
      session.breakOff();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    this.#session = session;
    return session;
  }

  async #report(session: Session, listener: ChangeListener): Promise<void> {
    const ask = async (statement: typeof newest, parameters = {}): Promise<readonly Row[]> =>
      (await session.query<Record<string, unknown>>(bind(statement, parameters))).rows;
    if (this.#last === undefined) {
      const [latest = null] = await ask(newest);
      const rows = await ask(replayed, { since: this.#deps.clock.now() - replayedMs });
      if (rows.length > 0) listener.changed(rows.map(toChange));
      this.#last = rows.at(-1) ?? latest;
    }
    for (;;) {
      const last: Row | null = this.#last ?? null;
      const rows = await ask(since, { seq: Number(last?.['seq'] ?? 0) });
      if (last !== null && !isSame(rows[0], last)) {
        // Pruned, or the database is an older copy of itself: nothing tells what was missed.
        const [latest = null] = await ask(newest);
        listener.gap();
        this.#last = latest;
        return;
      }
      const fresh: readonly Row[] = last === null ? rows : rows.slice(1);
      if (fresh.length > 0) listener.changed(fresh.map(toChange));
      this.#last = fresh.at(-1) ?? last;
      if (rows.length < rowsAtOnce) return;
    }
  }
}

function isSame(one: Row | undefined, other: Row): boolean {
  return ['seq', 'at', 'kind', 'id', 'version'].every((column) => one?.[column] === other[column]);
}

function unreferencedTimer(everyMs: number, callBack: () => void): () => void {
  const timer = setInterval(callBack, everyMs).unref();
  return () => clearInterval(timer);
}
