/*
 * The gateway as a whole: what `serve` starts, reloads and drains. What is opened here is closed in reverse.
 */
import path from 'node:path';
import type { Writable } from 'node:stream';
import type { Config } from '../config/config.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { Fault } from '../core/errors.ts';
import type { TokenId } from '../core/ids.ts';
import { systemRandom } from '../core/random.ts';
import { type AssertionSigner, createAssertionSigner } from '../gateway/assertion.ts';
import type { PipelineDeps } from '../gateway/pipeline.ts';
import { createBodyMemory } from '../gateway/body-memory.ts';
import { createConcurrentRequests } from '../gateway/concurrent-requests.ts';
import { createProgressWatch } from '../gateway/progress.ts';
import { createRequestIds } from '../gateway/request-id.ts';
import { createSpool } from '../gateway/spool.ts';
import { type AdminListener, createAdminListener } from '../server/admin-listener.ts';
import { type ConnectionLimits, createConnectionLimits } from '../server/connection-limits.ts';
import { createPublicListener } from '../server/public-listener.ts';
import { createAccessLog } from '../telemetry/access-log.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { LogOutput } from '../telemetry/log-output.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { openAssertionKey } from './assertion-key.ts';
import { type Closers, createClosers } from './closers.ts';
import { openLifecycle } from './lifecycle.ts';
import { createMistrustedBackends } from './mistrusted-backends.ts';
import { createRecorder } from './recorder.ts';
import { createRefusedConnections } from './refused-connections.ts';
import type { OpenedRedis } from './redis.ts';
import { startReserve } from './reserve.ts';
import { createRouting, type Routing } from './routing.ts';
import { type OpenedStore, openStore } from './store.ts';
import { keepStringMethodsFast } from './string-methods.ts';
import { startSweep } from './sweep.ts';
import { type OpenedVerification, openVerification } from './verification.ts';

/** A running gateway. */
export interface Gateway {
  readonly port: number;
  readonly adminPort: number;
  readonly log: Log;
  /**
   * Puts a new configuration in force for all requests that begin from now on. Returns the keys
   * whose new values need a restart.
   */
  reload(config: Config): readonly string[];
  /** A reload failed: the old configuration stays, and the metrics say so. */
  reloadFailed(): void;
  /** Not ready any more; running requests finish within `limits.drainMs`; everything is written and closed. */
  drain(): Promise<void>;
}

/** Where the gateway runs. */
export interface Surroundings {
  readonly version: string;
  /** Takes the log: one JSON line each. */
  readonly logStream: Writable;
}

/**
 * Opens everything in order, the public port last, so that a gateway that answers is whole.
 * Rejects with a Fault or the system's error (EADDRINUSE …), everything closed again.
 */
export async function startGateway(config: Config, surroundings: Surroundings): Promise<Gateway> {
  const closers = createClosers();
  try {
    return await open(config, surroundings, systemClock, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function open(
  config: Config,
  { version, logStream }: Surroundings,
  clock: Clock,
  closers: Closers,
): Promise<Gateway> {
  keepStringMethodsFast();
  const output = new LogOutput({ stream: logStream, clock });
  closers.add(() => output.close());
  const log = createLog({ level: config.log.level, output, clock });
  const store = await openStore(config, clock);
  closers.add(() => store.close());
  const redis = await openConfiguredRedis(config, store, clock, log, closers);
  const verification = await openVerification(config, store, redis, clock, log, closers);
  const { lifecycle } = openLifecycle(store, redis, verification.freshness, clock);
  closers.add(startReserve(store, log));
  closers.add(startSweep({ lifecycle, store: store.tokens, auditKeepMs: config.audit.keepMs, clock, log }));
  const mistrusted = createMistrustedBackends(log, () => metrics);
  const route = (from: Config): Routing => createRouting(from, clock, mistrusted);
  const inForce: InForce = { limits: config.limits, routing: route(config), route };
  const connections = connectionLimits(inForce, log, clock);
  const metrics = createMetrics({
    version,
    clock,
    sources: {
      tokens: () => store.tokens.countByState(clock.now()),
      feeds: () => verification.feedHealth(),
      cachesTrusted: () => verification.freshness.isFresh(),
      redisUp: () => redis?.up() ?? null,
      connections: () => ({ open: connections.open(), refused: connections.refused() }),
      logLinesDropped: () => output.dropped,
    },
  });
  metrics.configLoaded(true);
  const key = openAssertionKey(config.assertionKey, config.dataDir);
  const assertions = await createAssertionSigner(key, clock);
  const accessLog = config.log.access ? createAccessLog({ output, clock }) : null;
  const recorder = createRecorder(metrics, accessLog, log);
  const lasting = lastingDeps(config, inForce, verification, assertions, recorder, clock, closers);
  const admin = adminListener(store, metrics, assertions);
  return openDoors(config, inForce, connections, lasting, admin, metrics, log, closers);
}

async function openConfiguredRedis(
  config: Config,
  store: OpenedStore,
  clock: Clock,
  log: Log,
  closers: Closers,
): Promise<OpenedRedis | null> {
  if (config.redis === null) return null;
  // Loaded where there is one: its client is 10 MiB and more of code and data.
  const { openRedis } = await import('./redis.ts');
  const redis = await openRedis(config.redis, store.tokens.realm, await store.openPeppers(), clock, log);
  closers.add(() => redis.close());
  return redis;
}

/** What a reload replaces. */
interface InForce {
  limits: Config['limits'];
  routing: Routing;
  route(config: Config): Routing;
}

function connectionLimits(inForce: InForce, log: Log, clock: Clock): ConnectionLimits {
  return createConnectionLimits({
    bounds: () => inForce.limits,
    isProxy: (address) => inForce.routing.clientSide.trusts(address),
    refused: createRefusedConnections(log, clock),
  });
}

/** What every request needs and no reload replaces. */
type LastingDeps = Omit<PipelineDeps, keyof Routing>;

function lastingDeps(
  config: Config,
  inForce: InForce,
  { verifier, guesses }: OpenedVerification,
  assertions: AssertionSigner,
  recorder: PipelineDeps['recorder'],
  clock: Clock,
  closers: Closers,
): LastingDeps {
  const progress = {
    get idleMs() {
      return inForce.limits.idleMs;
    },
    get bodyRateMin() {
      return inForce.limits.bodyRateMin;
    },
  };
  const watch = createProgressWatch(progress, clock);
  closers.add(() => watch.stop());
  return {
    verifier,
    guesses,
    assertions,
    watch,
    memory: createBodyMemory(),
    spool: createSpool({
      folder: path.join(config.dataDir, 'spool'),
      bytesMax: config.limits.spoolBytes,
      watch,
    }),
    concurrent: createConcurrentRequests(() => inForce.limits.requestsPerToken),
    recorder,
    ending: new WeakSet(),
    nextRequestId: createRequestIds(systemRandom),
  };
}

function adminListener(store: OpenedStore, metrics: Metrics, assertions: AssertionSigner): AdminListener {
  const storeProblem = async (): Promise<string | null> => {
    try {
      await store.tokens.get('' as TokenId);
      return null;
    } catch (error) {
      return error instanceof Fault ? error.message : 'the store failed';
    }
  };
  return createAdminListener({
    readiness: [{ name: 'store', problem: storeProblem }],
    renderMetrics: () => metrics.render(),
    metricsType: metrics.contentType,
    jwks: () => JSON.stringify(assertions.jwks),
  });
}

async function openDoors(
  config: Config,
  inForce: InForce,
  connections: ConnectionLimits,
  lasting: LastingDeps,
  admin: AdminListener,
  metrics: Metrics,
  log: Log,
  closers: Closers,
): Promise<Gateway> {
  let pipeline: PipelineDeps = { ...lasting, ...inForce.routing };
  closers.add(() => inForce.routing.close());
  const adminPort = await admin.listen(config.admin.host, config.admin.port);
  closers.add(() => admin.close());
  const keys = JSON.stringify(lasting.assertions.jwks);
  const door = createPublicListener({
    pipeline: () => pipeline,
    assertionKeys: () => (inForce.routing.sendsAssertions ? keys : null),
    connections,
    get headMs() {
      return inForce.limits.headMs;
    },
    get keepAliveMs() {
      return inForce.limits.keepAliveMs;
    },
    get idleMs() {
      return inForce.limits.idleMs;
    },
  });
  const port = await door.listen(config.listen.host, config.listen.port);
  return {
    port,
    adminPort,
    log,
    reload(next) {
      // The former routes' connections close as they fall idle: requests may still be using them.
      inForce.routing = inForce.route(next);
      inForce.limits = next.limits;
      pipeline = { ...lasting, ...inForce.routing };
      metrics.configLoaded(true);
      return keysNeedingRestart(config, next);
    },
    reloadFailed: () => metrics.configLoaded(false),
    async drain() {
      admin.startDraining();
      await door.drain(config.limits.drainMs);
      await closers.closeAll();
    },
  };
}

/** Keys that a reload puts in force. */
const reloadedKeys: ReadonlySet<string> = new Set([
  'routes',
  'trustedProxies',
  'connectMs',
  'backendHeadMs',
  'backendConnections',
  'reportBytes',
  'headMs',
  'keepAliveMs',
  'idleMs',
  'bodyRateMin',
  'connections',
  'connectionsPerClient',
  'requestsPerToken',
]);

/** Keys that differ and that `reload` does not put in force. */
function keysNeedingRestart(former: Config, next: Config): readonly string[] {
  const lasting = (part: unknown): string =>
    JSON.stringify(part, (key, value: unknown) => (reloadedKeys.has(key) ? undefined : value));
  return Object.entries(next)
    .filter(
      ([key, value]) => !reloadedKeys.has(key) && lasting(former[key as keyof Config]) !== lasting(value),
    )
    .map(([key]) => key);
}
