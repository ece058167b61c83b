import type { Config } from '../../config/config.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { News } from './messages.ts';
import { becomesReady, endedWith, type ReadyWorker } from './ready-worker.ts';
import { createRestarts, type Restarts } from './restarts.ts';
import type { WorkerFailure } from './worker-failure.ts';
import type { WorkerEnd, WorkerProcess } from './worker-process.ts';

/** Why a worker that served is gone. */
export type Leave = 'died' | 'hung' | 'replaced';

/** What supervising needs. */
export interface SupervisorDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Pick<Log, 'info' | 'error'>;
  /** What the first workers begin with. */
  readonly config: Config;
  /** Starts a process for a slot: one of the numbers from 0 to `config.workers`. */
  fork(slot: number): WorkerProcess;
  /** Tells it, once it runs, how to begin. */
  begin(worker: WorkerProcess, slot: number, config: Config): void;
  /** Hands on a configuration that needs no other process. */
  reload(worker: WorkerProcess, config: Config): Promise<void>;
  /** Nobody is going to serve this slot for a while, or ever again. */
  release(slot: number): void;
  /** What a worker says of its work. */
  heard(worker: WorkerProcess, news: News): void;
  /** A worker does not serve any more. */
  left(worker: WorkerProcess, why: Leave): void;
}

/** How often workers are asked whether they still answer, and how many times in a row one may not. */
const pingEveryMs = 2_000;
const missesMax = 5;
/** Longest start of a worker: a busy machine takes long to load a program. */
const startMsMax = 3 * 60_000;
/**
 * The same for the first of all, which may have to bring a large store to its schema, or to wait for another that does:
 * longer than that may take.
 */
const firstStartMsMax = 35 * 60_000;
/** Deaths in a row in every slot after which there is no hope. */
const deathsMax = 3;
/** Connections of a worker that is replaced may still bring a request for this long. */
const lingerMs = 5_000;
/** Beyond the time that requests get: what is still there then is ended by force. */
const graceMs = 10_000;

interface Slot {
  readonly index: number;
  readonly restarts: Restarts;
  current: ReadyWorker | null;
  /** Pings in a row without an answer. */
  misses: number;
  retry: NodeJS.Timeout | null;
  /** What is done for a slot is done one after the other. */
  work: Promise<unknown>;
}

/** Keeps as many workers serving as the configuration wants. */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #slots: Slot[] = [];
  readonly #alive = new Set<WorkerProcess>();
  /** Those that served and have been replaced. */
  readonly #leaving = new Set<WorkerProcess>();
  readonly #hopeless: PromiseWithResolvers<WorkerFailure> = Promise.withResolvers();
  #config: Config;
  #isStopping = false;
  #pings: NodeJS.Timeout | null = null;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#config = deps.config;
  }

  /** Resolves when no worker stays alive: there is nothing left to wait for. */
  get hopeless(): Promise<WorkerFailure> {
    return this.#hopeless.promise;
  }

  /** Those that serve just now. */
  get ready(): readonly ReadyWorker[] {
    return this.#slots.flatMap(({ current }) => current ?? []);
  }

  /** The processes of these, and of those that finish what they have under way. */
  get serving(): readonly WorkerProcess[] {
    return [...this.ready.map(({ process }) => process), ...this.#leaving];
  }

  /** How many there should be. */
  get wanted(): number {
    return this.#slots.length;
  }

  /**
   * Resolves when all workers serve. Rejects with WorkerFailure where one cannot: the first alone comes to that, so
   * that what is wrong is told once.
   */
  async start(): Promise<void> {
    await this.#startIn(this.#addSlot(), this.#config, firstStartMsMax);
    const others = Array.from({ length: this.#config.workers - 1 }, () => this.#addSlot());
    await Promise.all(others.map((slot) => inTurn(slot, () => this.#startIn(slot, this.#config))));
    this.#pings = setInterval(() => this.#ping(), pingEveryMs).unref();
  }

  /** Puts a configuration in force that needs no other processes. */
  async reload(config: Config): Promise<void> {
    this.#config = config;
    await Promise.all(this.ready.map(({ process }) => this.#deps.reload(process, config)));
  }

  /**
   * Replaces the workers one after the other, each before its former one stops. Rejects with WorkerFailure where the
   * first new one cannot serve; then nothing has changed.
   */
  async replaceAll(config: Config): Promise<void> {
    const { workers } = config;
    const [first, ...others] = this.#slots.slice(0, workers);
    if (first === undefined) return;
    await inTurn(first, () => this.#startIn(first, config));
    this.#config = config;
    while (this.#slots.length < workers) others.push(this.#addSlot());
    for (const slot of others) {
      if (this.#isStopping) return;
      await inTurn(slot, () => this.#startIn(slot, config)).catch((error: unknown) => {
        // The former one goes on as long as it lives; without one, it is a slot to be filled.
        this.#deps.log.error({ worker: slot.index, error }, 'a worker could not be replaced');
        if (slot.current === null) this.#retry(slot, error as WorkerFailure);
      });
    }
    for (const slot of this.#slots.splice(workers)) await this.#remove(slot);
  }

  /** Lets all workers finish; resolves when none is left. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    if (this.#pings !== null) clearInterval(this.#pings);
    for (const slot of this.#slots) {
      if (slot.retry !== null) clearTimeout(slot.retry);
      this.#deps.release(slot.index);
    }
    await Promise.all([...this.#alive].map((process) => this.#letGo(process, 0)));
  }

  #addSlot(): Slot {
    const restarts = createRestarts(this.#deps.clock);
    const rest = { current: null, misses: 0, retry: null, work: Promise.resolve() };
    const slot: Slot = { index: this.#slots.length, restarts, ...rest };
    this.#slots.push(slot);
    return slot;
  }

  /** In turn: what is just being started there would be nobody's otherwise, and serve on as it was told. */
  #remove(slot: Slot): Promise<void> {
    return inTurn(slot, () => {
      if (slot.retry !== null) clearTimeout(slot.retry);
      this.#deps.release(slot.index);
      const former = slot.current;
      slot.current = null;
      if (former !== null) void this.#replaced(former.process);
    });
  }

  /** Starts a worker; once it serves, the slot's former one is let go. */
  async #startIn(slot: Slot, config: Config, withinMs: number = startMsMax): Promise<void> {
    const process = this.#deps.fork(slot.index);
    this.#alive.add(process);
    void process.ended.then(() => this.#alive.delete(process));
    const ready = await becomesReady(
      process,
      () => this.#deps.begin(process, slot.index, config),
      (news) => this.#deps.heard(process, news),
      withinMs,
    );
    const former = slot.current;
    slot.current = ready;
    slot.misses = 0;
    slot.restarts.ready();
    void process.ended.then((end) => this.#ended(slot, process, end));
    if (former !== null) void this.#replaced(former.process);
  }

  /** A worker that no slot holds any more. */
  async #replaced(process: WorkerProcess): Promise<void> {
    this.#leaving.add(process);
    await this.#letGo(process, lingerMs);
    this.#leaving.delete(process);
    this.#deps.left(process, 'replaced');
  }

  async #letGo(process: WorkerProcess, lingerMs: number): Promise<void> {
    process.send({ kind: 'drain', lingerMs });
    const force = setTimeout(() => process.kill(), this.#config.limits.drainMs + graceMs);
    await process.ended;
    clearTimeout(force);
  }

  #ended(slot: Slot, process: WorkerProcess, end: WorkerEnd): void {
    if (slot.current?.process !== process || this.#isStopping) return;
    const isHung = slot.misses >= missesMax;
    slot.current = null;
    this.#deps.left(process, isHung ? 'hung' : 'died');
    // Whoever connects is better served by the others; what waits at one that hung has waited for long already.
    if (!isHung && this.ready.length > 0) this.#deps.release(slot.index);
    const what = isHung ? 'a worker did not answer any more and was killed' : 'a worker ended unasked';
    this.#deps.log.error({ worker: slot.index, pid: process.pid, ...end }, `${what}: it is replaced`);
    this.#retry(slot, endedWith(end));
  }

  #retry(slot: Slot, failure: WorkerFailure): void {
    const delayMs = slot.restarts.died();
    const isHopeless = this.#slots.every(
      ({ current, restarts }) => current === null && restarts.deaths >= deathsMax,
    );
    if (isHopeless) return this.#hopeless.resolve(failure);
    if (delayMs > 0) this.#deps.release(slot.index);
    slot.retry = setTimeout(() => {
      slot.retry = null;
      void inTurn(slot, () => this.#refill(slot));
    }, delayMs);
  }

  async #refill(slot: Slot): Promise<void> {
    if (this.#isStopping || slot.current !== null) return;
    const given = this.#config;
    try {
      await this.#startIn(slot, given);
      this.#deps.log.info({ worker: slot.index }, 'a worker has taken the place of the one that ended');
      // Reloaded while it started: it was not asked then.
      if (this.#config !== given) await this.reload(this.#config);
    } catch (error) {
      if (this.#isStopping) return;
      this.#deps.log.error({ worker: slot.index, error }, 'a worker could not be started: it is tried again');
      this.#retry(slot, error as WorkerFailure);
    }
  }

  /** Counted, not timed: a machine that slept is no worker that hangs. */
  #ping(): void {
    for (const slot of this.#slots) {
      const { current } = slot;
      if (current === null) continue;
      slot.misses++;
      if (slot.misses >= missesMax) current.process.kill();
      else
        void current.process.ask('ping', null, pingEveryMs * missesMax).then((answer) => {
          if (answer !== null && slot.current === current && slot.misses < missesMax) slot.misses = 0;
        });
    }
  }
}

function inTurn<T>(slot: Slot, work: () => T | Promise<T>): Promise<T> {
  const done = slot.work.then(work);
  slot.work = done.catch(() => undefined);
  return done;
}
