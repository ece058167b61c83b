/*
 * The gateway as several processes: this one holds the port, the admin listener and the count of failures, and serves
 * nobody itself.
 */
import type { Writable } from 'node:stream';
import type { Config } from '../config/config.ts';
import { systemClock } from '../core/clock.ts';
import { createAdminListener, type ReadinessCheck } from '../server/admin-listener.ts';
import { createFailureBoard } from '../server/workers/failure-board.ts';
import { firstSocket, forkInCluster, forkWithSockets, type WorkerProgram } from '../server/workers/fork.ts';
import type { ToWorker } from '../server/workers/messages.ts';
import {
  canSharePorts,
  type ListenPoint,
  openSlotSockets,
  type SlotSockets,
} from '../server/workers/slot-sockets.ts';
import { Supervisor } from '../server/workers/supervisor.ts';
import type { WorkerFailure } from '../server/workers/worker-failure.ts';
import type { WorkerProcess } from '../server/workers/worker-process.ts';
import { createLog } from '../telemetry/log.ts';
import { LogOutput } from '../telemetry/log-output.ts';
import { createMetricsOfWorkers, type MetricsOfWorkers } from '../telemetry/metrics-of-workers.ts';
import { type Closers, createClosers } from './closers.ts';
import type { Gateway } from './gateway.ts';
import { keysNeedingRestart } from './in-force.ts';
import { shareOf } from './share.ts';

/** A running gateway of several processes: to whoever starts it, much like one of a single process. */
export interface Workers
  extends Pick<Gateway, 'port' | 'adminPort' | 'doors' | 'log' | 'firstAdminLink' | 'drain'> {
  /**
   * Puts a new configuration in force, in other workers where it takes that. Resolves to the keys that need a restart.
   * Rejects with WorkerFailure, and nothing has changed, where no worker can serve with it.
   */
  reload(config: Config): Promise<readonly string[]>;
  reloadFailed(): void;
  /** Resolves when no worker stays alive. */
  readonly hopeless: Promise<WorkerFailure>;
}

/** Where the workers run. */
export interface WorkersSurroundings {
  /** Takes the log: one JSON line each. */
  readonly logStream: Writable;
  /** What a worker runs. */
  readonly program: WorkerProgram;
  /** Whether workers listen on sockets that share the port; else this process accepts for them. Default: where the system can. */
  readonly sharePorts?: boolean;
}

/** Longest wait for what a worker is asked; what is not there then is left out. */
const answerMsMax = 2_000;
/** Longest wait for a worker to put a new configuration in force. */
const reloadMsMax = 10_000;

/** Starts all workers. Rejects with the system's error or WorkerFailure, everything closed again. */
export async function startWorkers(config: Config, surroundings: WorkersSurroundings): Promise<Workers> {
  const closers = createClosers();
  try {
    return await open(config, surroundings, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function open(
  config: Config,
  { logStream, program, sharePorts = canSharePorts() }: WorkersSurroundings,
  closers: Closers,
): Promise<Workers> {
  const clock = systemClock;
  const output = new LogOutput({ stream: logStream, clock });
  closers.add(() => output.close());
  const log = createLog({ level: config.log.level, output, clock });
  const sockets = sharePorts ? await openSlotSockets(listenersOf(config)) : null;
  closers.add(() => sockets?.close());
  const board = createFailureBoard(clock);
  const metrics: MetricsOfWorkers<WorkerProcess> = createMetricsOfWorkers(() => ({
    ready: supervisor.ready.length,
    wanted: supervisor.wanted,
  }));
  const supervisor = new Supervisor({
    ...{ clock, log, config },
    ...starting(program, sockets),
    reload: async (worker, next) => void (await worker.ask('reload', shareOf(next), reloadMsMax)),
    heard(worker, news) {
      if (news.kind === 'left') metrics.last(worker, news.metrics);
      if (news.kind !== 'failure') return;
      const total = board.add(news.name, news.guess, news.windowMs);
      worker.send({ kind: 'counted', id: news.id, total });
    },
    left: (worker, why) => metrics.left(worker, why),
  });
  const admin = createAdminListener({
    readiness: [readinessOf(supervisor)],
    renderMetrics: async () => metrics.render(await metricsOf(supervisor)),
    metricsType: metrics.contentType,
    jwks: () => supervisor.ready[0]?.serving.assertionKeys ?? '{"keys":[]}',
  });
  const adminPort = await admin.listen(config.admin.host, config.admin.port);
  closers.add(() => admin.close());
  closers.add(() => supervisor.drain());
  await supervisor.start();
  return {
    port: supervisor.ready[0]?.serving.port ?? config.listen.port,
    doors: supervisor.ready[0]?.serving.doors ?? config.doors,
    adminPort,
    ...{ log, hopeless: supervisor.hopeless },
    ...reloading(config, supervisor),
    firstAdminLink: async () =>
      (await supervisor.ready[0]?.process.ask('firstAdminLink', null, answerMsMax))?.answer ?? null,
    async drain() {
      admin.startDraining();
      // Whoever comes now is refused, rather than left to wait for nobody.
      sockets?.close();
      await closers.closeAll();
    },
  };
}

/** What every worker listens on. */
function listenersOf({ listen, doors }: Config): readonly ListenPoint[] {
  const { host } = doors;
  const file = listen.socket === null ? null : { path: listen.socket, mode: listen.socketMode };
  const points = [
    { name: 'public', host: listen.host, port: listen.port, file },
    { name: 'doors', host, port: doors.port, file: null },
    { name: 'grpc', host, port: doors.grpcPort, file: null },
  ];
  return points.flatMap(({ port, ...point }) => (port === null ? [] : [{ ...point, port }]));
}

/** How a worker comes to its listeners. */
function starting(
  program: WorkerProgram,
  sockets: SlotSockets | null,
): Pick<ConstructorParameters<typeof Supervisor>[0], 'fork' | 'begin' | 'release'> {
  const begin = (worker: WorkerProcess, slot: number, config: Config, names: readonly string[]): void => {
    const message: ToWorker = {
      kind: 'begin',
      config: shareOf(config),
      doesUpkeep: slot === 0,
      sockets: Object.fromEntries(names.map((name, at) => [name, firstSocket + at])),
    };
    worker.send(message);
  };
  if (sockets === null) {
    return {
      fork: () => forkInCluster(program),
      begin: (worker, slot, config) => begin(worker, slot, config, []),
      release: () => undefined,
    };
  }
  return {
    fork: (slot) => forkWithSockets(program, sockets.take(slot)),
    begin: (worker, slot, config) => begin(worker, slot, config, sockets.names),
    release: (slot) => sockets.release(slot),
  };
}

function reloading(first: Config, supervisor: Supervisor): Pick<Workers, 'reload' | 'reloadFailed'> {
  /** What the workers were started with: only other ones can have other values of these keys. */
  let started = first;
  let last: Promise<unknown> = Promise.resolve();
  const reload = async (next: Config): Promise<readonly string[]> => {
    const needed = keysNeedingRestart(started, next).filter((key) => !isOurs(key));
    const placed = inPlaceOf(first, next);
    if (needed.length === 0) await supervisor.reload(placed);
    else {
      await supervisor.replaceAll(placed);
      started = next;
    }
    return keysNeedingRestart(first, next).filter(isOurs);
  };
  return {
    reload(next) {
      const done = last.then(() => reload(next));
      last = done.catch(() => undefined);
      return done;
    },
    reloadFailed() {
      for (const { process } of supervisor.ready) void process.ask('reload', null, reloadMsMax);
    },
  };
}

/** Keys by which this process has bound its sockets, which it keeps. */
const placeKeys: ReadonlySet<string> = new Set([
  ...['listen.host', 'listen.port', 'listen.socket', 'listen.socketMode'],
  ...['doors.host', 'doors.port', 'doors.grpcPort'],
]);

function isOurs(key: string): boolean {
  return key.startsWith('admin.') || placeKeys.has(key);
}

/** The same but for where everything listens. */
function inPlaceOf(first: Config, next: Config): Config {
  const { host, port, socket, socketMode } = first.listen;
  const { host: doorHost, port: doorPort, grpcPort } = first.doors;
  return {
    ...next,
    listen: { ...next.listen, host, port, socket, socketMode },
    doors: { ...next.doors, host: doorHost, port: doorPort, grpcPort },
  };
}

/** Ready while all workers are. */
function readinessOf(supervisor: Supervisor): ReadinessCheck {
  return {
    name: 'workers',
    async problem() {
      const { ready, wanted } = supervisor;
      const answers = await Promise.all(
        ready.map(({ process }) => process.ask('readiness', null, answerMsMax)),
      );
      if (answers.includes(null)) return 'a worker does not answer';
      if (ready.length < wanted) return `${ready.length} of ${wanted} workers serve`;
      const failed = answers.flatMap((given) => given?.answer ?? []).find(({ problem }) => problem !== null);
      return failed === undefined ? null : `${failed.name}: ${failed.problem}`;
    },
  };
}

async function metricsOf(
  supervisor: Supervisor,
): Promise<readonly (readonly [WorkerProcess, readonly object[]])[]> {
  const said = await Promise.all(
    supervisor.serving.map(
      async (worker) => [worker, await worker.ask('metrics', null, answerMsMax)] as const,
    ),
  );
  return said.flatMap(([worker, given]) => (given === null ? [] : [[worker, given.answer] as const]));
}
