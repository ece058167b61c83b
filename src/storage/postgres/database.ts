import { Pool } from 'pg';
import { type PostgresConfig, storeName } from '../../config/store-config.ts';
import type { Clock } from '../../core/clock.ts';
import { Fault } from '../../core/errors.ts';
import type { Realm } from '../../core/ids.ts';
import type { RandomBytes } from '../../core/random.ts';
import { uuidV7 } from '../../core/uuid.ts';
import type { Row } from '../row.ts';
import { bringUpToDate, isUpToDate } from './migrations.ts';
import { isCollision, isServersWord, storeFault, toConnectFault, toFault } from './postgres-fault.ts';
import { Session, sessionSettings } from './session.ts';
import { bind, type Parameters, type Statement } from './statement.ts';
import { assertFinished } from './unfinished.ts';

/** What looks at much may take this long. */
const slowMsMax = 30_000;
/** Making or migrating tables, and waiting for another process that does: `bringUpToDate` gives each step less. */
const migrationMsMax = 30 * 60_000;
/** A transaction that collided with others is tried so often in all. */
const triesMax = 4;
const idleMsMax = 60_000;
/** At the end, what still runs is broken off after this. */
const goodbyeMsMax = 1_000;

/** How a commit is kept: 'durable' survives a crash of the server, 'relaxed' may lose the last moments then. */
export type Durability = 'durable' | 'relaxed';

/** Runs statements. Each sees what has been committed before it begins. */
export interface Questions {
  rows(statement: Statement, parameters?: Parameters): Promise<readonly Row[]>;
  /** The first row. */
  row(statement: Statement, parameters?: Parameters): Promise<Row | undefined>;
  /** Resolves to how many rows were written. */
  run(statement: Statement, parameters?: Parameters): Promise<number>;
}

/**
 * One open database. Everything rejects with `Fault('store_unavailable')` where PostgreSQL cannot be asked, within
 * `connectTimeoutMs` and `statementTimeoutMs` together.
 */
export interface PostgresDatabase extends Omit<Questions, 'run'> {
  readonly realm: Realm;
  /** The same over connections of their own, for what looks at many rows: within 30 s, and at most a third of all. */
  readonly slowly: Omit<Questions, 'run'>;
  /** Runs the work in one transaction; again from its beginning where it collided with others. */
  write<T>(work: (transaction: Questions) => Promise<T>, durability?: Durability): Promise<T>;
  /** A connection outside of the pool, not yet connected, for whoever listens. */
  newSession(): Session;
  /** Says that a connection was silent: others that have not answered since are not relied on. */
  distrust(): void;
  close(): Promise<void>;
}

interface PostgresDeps {
  readonly config: PostgresConfig;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** Opens an unfinished copy too, which is a store for nobody but those who go on with it. Default false. */
  readonly unfinishedToo?: boolean;
}

/**
 * Opens the database, makes or migrates its tables where needed. Rejects with `Fault('store_unavailable')` and a sentence
 * that says what to do.
 */
export async function openPostgres({
  config,
  clock,
  randomBytes,
  unfinishedToo = false,
}: PostgresDeps): Promise<PostgresDatabase> {
  const name = storeName(config);
  const slowMax = Math.max(1, Math.floor(config.poolMax / 3));
  const sessions = new Set<Session>();
  let distrustedAt = Number.NEGATIVE_INFINITY;
  const distrust = (): void => {
    distrustedAt = clock.monotonic();
  };
  const lane = (max: number, statementMs: number): Lane => {
    const pool = new Pool({
      ...sessionSettings(config, statementMs),
      max,
      connectionTimeoutMillis: config.connectTimeoutMs,
      idleTimeoutMillis: idleMsMax,
      Client: Session,
    });
    pool.on('error', () => undefined);
    pool.on('connect', (session) => void sessions.add(session as unknown as Session));
    pool.on('remove', (session) => void sessions.delete(session as unknown as Session));
    const budgetMs = config.connectTimeoutMs + statementMs;
    return { pool, name, clock, budgetMs, distrust, distrustedAt: () => distrustedAt };
  };
  const quick = lane(config.poolMax - slowMax, config.statementTimeoutMs);
  const slow = lane(slowMax, slowMsMax);
  const close = async (): Promise<void> => {
    // What hears no goodbye would keep the process from ending.
    setTimeout(() => sessions.forEach((session) => session.breakOff()), goodbyeMsMax).unref();
    await Promise.all([quick.pool.end(), slow.pool.end()]);
  };
  try {
    const newRealm = uuidV7(clock.now(), randomBytes) as Realm;
    // A server that is silent shows at the first look: only what has to be brought up to date is waited for so long.
    const isCurrent = await lend(slow, isUpToDate);
    const opening = isCurrent ? slow : { ...slow, budgetMs: migrationMsMax };
    const { realm, commitLevel } = await lend(opening, async (session) => {
      const found = await bringUpToDate(session, name, newRealm);
      if (!unfinishedToo) await assertFinished(session, name);
      return { realm: found, commitLevel: await commitLevelOf(session) };
    });
    const begin = { durable: beginWith(commitLevel), relaxed: beginWith('off') };
    return {
      realm,
      ...reading(quick),
      slowly: reading(slow),
      write: (work, durability = 'durable') =>
        lend(quick, (session) => transact(session, begin[durability], name, work)),
      newSession: () => new Session(sessionSettings(config, config.statementTimeoutMs)),
      distrust,
      close,
    };
  } catch (error) {
    await close();
    throw toFault(error, name);
  }
}

/** A pool, and how long one operation on it may take. */
interface Lane {
  readonly pool: Pool;
  readonly name: string;
  readonly clock: Clock;
  readonly budgetMs: number;
  distrust(): void;
  distrustedAt(): number;
}

function reading(lane: Lane): Omit<Questions, 'run'> {
  const read = <T>(work: (questions: Questions) => Promise<T>): Promise<T> =>
    lend(lane, (session) => work(questionsOf(session)));
  return {
    rows: (statement, parameters) => read((questions) => questions.rows(statement, parameters)),
    row: (statement, parameters) => read((questions) => questions.row(statement, parameters)),
  };
}

function questionsOf(session: Session): Questions {
  const ask = async (statement: Statement, parameters: Parameters = {}) =>
    session.query<Record<string, unknown>>(bind(statement, parameters));
  return {
    rows: async (statement, parameters) => (await ask(statement, parameters)).rows,
    row: async (statement, parameters) => (await ask(statement, parameters)).rows[0],
    run: async (statement, parameters) => (await ask(statement, parameters)).rowCount ?? 0,
  };
}

/** Lends a connection for as long as the budget lasts; whatever fails is a fault or a bug by then. */
async function lend<T>(lane: Lane, work: (session: Session) => Promise<T>): Promise<T> {
  const { name, clock, budgetMs } = lane;
  let session: Session | null = null;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    lane.distrust();
    session?.breakOff();
  }, budgetMs);
  try {
    const lent = await acquire(lane);
    session = lent;
    if (isLate) lent.breakOff();
    const result = await work(lent);
    const refusal = lent.refusal();
    // It may have become a standby, or fenced off, while it was asked: what it said may be old.
    if (refusal !== null) throw storeFault(name, refusal);
    lent.answeredAt = clock.monotonic();
    giveBack(lent, false);
    return result;
  } catch (error) {
    if (session !== null) giveBack(session, !isServersWord(error));
    if (isLate) {
      const sentence = `did not answer within ${budgetMs / 1_000} s; check that it is well, and the network between.`;
      throw storeFault(name, sentence, error);
    }
    throw toFault(error, name);
  } finally {
    clearTimeout(timer);
  }
}

/** A connection that answers, as far as is known. */
async function acquire(lane: Lane): Promise<Session> {
  const { name, clock } = lane;
  for (;;) {
    const session = await connected(lane);
    const refusal = session.refusal();
    if (refusal !== null) {
      giveBack(session, true);
      throw storeFault(name, refusal);
    }
    const isNew = session.answeredAt === 0;
    if (isNew) session.answeredAt = clock.monotonic();
    if (isNew || session.answeredAt >= lane.distrustedAt()) return session;
    giveBack(session, true);
  }
}

async function connected({ pool, name }: Lane): Promise<Session> {
  try {
    // The pool makes what it was told to make.
    return (await pool.connect()) as unknown as Session;
  } catch (error) {
    throw toConnectFault(error, name);
  }
}

function giveBack(session: Session, isBroken: boolean): void {
  if (isBroken) session.breakOff();
  (session as unknown as { release(destroy: boolean): void }).release(isBroken);
}

/** What 'durable' means here: as much as the server is set to, and never less than its own disk. */
async function commitLevelOf(session: Session): Promise<string> {
  const { rows } = await session.query<{ level: string }>(
    `SELECT current_setting('synchronous_commit') AS level`,
  );
  return rows[0]?.level === 'remote_apply' ? 'remote_apply' : 'on';
}

function beginWith(commitLevel: string): string {
  return `BEGIN; SET LOCAL synchronous_commit = ${commitLevel}`;
}

async function transact<T>(
  session: Session,
  begin: string,
  name: string,
  work: (transaction: Questions) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      await session.query(begin);
      const result = await work(questionsOf(session));
      await commit(session, name);
      return result;
    } catch (error) {
      if (!(error instanceof Fault)) await session.query('ROLLBACK').catch(() => session.breakOff());
      if (!isCollision(error) || tries >= triesMax) throw error;
    }
  }
}

async function commit(session: Session, name: string): Promise<void> {
  try {
    await session.query('COMMIT');
  } catch (error) {
    if (isServersWord(error)) throw error;
    const sentence =
      'broke off while a change was made: it is not known whether it counts; look before trying again.';
    throw storeFault(name, sentence, error);
  }
}
