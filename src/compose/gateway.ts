/*
 * The gateway as a whole: what `serve` starts, reloads and drains. What is opened here is closed in reverse.
 */
import path from 'node:path';
import type { Writable } from 'node:stream';
import type { Config } from '../config/config.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { systemRandom } from '../core/random.ts';
import { createAssertionSigner } from '../gateway/assertion.ts';
import type { PipelineDeps } from '../gateway/pipeline.ts';
import { createBodyMemory } from '../gateway/body-memory.ts';
import { createConcurrentRequests } from '../gateway/concurrent-requests.ts';
import { createProgressWatch } from '../gateway/progress.ts';
import { createAdminKeys } from '../management/admin-keys.ts';
import { createRequestIds } from '../gateway/request-id.ts';
import { createSpool } from '../gateway/spool.ts';
import type { WebApp } from '../web/app.ts';
import { type AdminListener, type AdminListenerDeps, createAdminListener } from '../server/admin-listener.ts';
import { type ConnectionLimits, createConnectionLimits } from '../server/connection-limits.ts';
import type { ListenPlace } from '../server/listen-at.ts';
import { createPublicListener } from '../server/public-listener.ts';
import { createAccessLog } from '../telemetry/access-log.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { LogOutput } from '../telemetry/log-output.ts';
import { loadOpenTelemetry, openTracing } from '../telemetry/tracing.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { adminView } from './admin.ts';
import { openAssertionKey } from './assertion-key.ts';
import { type Closers, createClosers } from './closers.ts';
import { type DoorPorts, openDoorListeners, type Verifying } from './doors.ts';
import type { Ground } from './ground.ts';
import { type InForce, putInForce } from './in-force.ts';
import { openLifecycle } from './lifecycle.ts';
import { createMistrustedBackends } from './mistrusted-backends.ts';
import type { Place } from './place.ts';
import { createRecorder } from './recorder.ts';
import { createRefusedConnections } from './refused-connections.ts';
import type { OpenedRedis } from './redis.ts';
import { startReserve } from './reserve.ts';
import { createRouting, type Routing } from './routing.ts';
import { startSourceCheck } from './source-check.ts';
import { type OpenedStore, openStore } from './store.ts';
import { keepStringMethodsFast } from './string-methods.ts';
import { keptForAWhile, startSweep } from './sweep.ts';
import { openTls, type OpenedTls } from './tls.ts';
import { type OpenedVerification, openVerification } from './verification.ts';
import { startWarnings } from './warnings.ts';

/** A running gateway. */
export interface Gateway {
  readonly port: number;
  /** Null for a worker, whose supervisor has the admin listener. */
  readonly adminPort: number | null;
  /** Where other proxies ask. */
  readonly doors: DoorPorts;
  readonly log: Log;
  /** The secret of a one-time link by which a person becomes the first admin; null where there is one, or no pages. */
  firstAdminLink(): Promise<string | null>;
  /**
   * Puts a new configuration in force for all requests that begin from now on. Returns the keys
   * whose new values need a restart.
   */
  reload(config: Config): readonly string[];
  /** A reload failed: the old configuration stays, and the metrics say so. */
  reloadFailed(): void;
  /** What the admin listener shows, or the supervisor of this worker. */
  readonly view: AdminListenerDeps;
  /** The metrics as data, for the supervisor of this worker. */
  snapshot(): Promise<readonly object[]>;
  /**
   * Not ready any more; running requests finish within `limits.drainMs`; everything is written and closed. Connections
   * without a request may bring one for `lingerMs` (default 0).
   */
  drain(lingerMs?: number): Promise<void>;
}

/** Where the gateway runs. */
export interface Surroundings {
  readonly version: string;
  /** Takes the log: one JSON line each. */
  readonly logStream: Writable;
  /** Null: this process is the whole gateway. */
  readonly place: Place | null;
}

/** What a pipe takes whole from each of several processes that write to it. */
const pipeWriteBytes = 4_096;

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
  { version, logStream, place }: Surroundings,
  clock: Clock,
  closers: Closers,
): Promise<Gateway> {
  keepStringMethodsFast();
  const output = new LogOutput({
    ...{ stream: logStream, clock },
    ...(place === null ? {} : { writeBytesMax: pipeWriteBytes }),
  });
  closers.add(() => output.close());
  const log = createLog({ level: config.log.level, output, clock });
  const spans = config.tracing.enabled ? await openTracing({ version, log, load: loadOpenTelemetry }) : null;
  const ground: Ground = { config, clock, log, closers, place };
  const store = await openStore(config, clock);
  closers.add(() => store.close());
  const redis = await openConfiguredRedis(ground, store);
  const verification = await openVerification(ground, store, redis);
  const doesUpkeep = place?.doesUpkeep ?? true;
  if (doesUpkeep) await startUpkeep(ground, store, redis, verification);
  const tls = openTls(ground);
  const metrics = createMetrics({
    version,
    clock,
    sources: {
      tokens: async () => (doesUpkeep ? store.tokens.countByState(clock.now()) : {}),
      feeds: () => verification.feedHealth(),
      cachesTrusted: () => verification.freshness.isFresh(),
      redisUp: () => redis?.up() ?? null,
      connections: () => ({ open: connections.open(), refused: connections.refused() }),
      tls: () => tls.state(),
      logLinesDropped: () => output.dropped,
    },
  });
  metrics.configLoaded(true);
  const mistrusted = createMistrustedBackends(log, metrics);
  const inForce = putInForce(config, (next) =>
    createRouting({ ...next, tracing: config.tracing }, clock, mistrusted),
  );
  const connections = connectionLimits(ground, inForce);
  const assertions = await createAssertionSigner(
    openAssertionKey(config.assertionKey, config.dataDir),
    clock,
  );
  const accessLog = config.log.access ? createAccessLog({ output, clock }) : null;
  const recorder = createRecorder(metrics, accessLog, log);
  const lasting = lastingDeps(ground, inForce, verification, { assertions, recorder, spans });
  const view = adminView(store, metrics, assertions);
  const site = config.portal.enabled ? await openOwnSite(ground, store, redis, verification, version) : null;
  const verifying = openVerifying(ground, store, inForce);
  return openDoors(ground, { inForce, connections, lasting, view, metrics, site, tls, verifying });
}

async function openConfiguredRedis(
  { config, clock, log, closers }: Ground,
  store: OpenedStore,
): Promise<OpenedRedis | null> {
  if (config.redis === null) return null;
  // Loaded where there is one: its client is 10 MiB and more of code and data.
  const { openRedis } = await import('./redis.ts');
  const redis = await openRedis(config.redis, store.tokens.realm, await store.openPeppers(), clock, log);
  closers.add(() => redis.close());
  return redis;
}

/** The pages and the API, but for what they need of the doors. */
interface OwnSite {
  open(pipeline: () => PipelineDeps): WebApp;
  /** See `SignIn`. */
  firstAdminLink(): Promise<string | null>;
}

async function openOwnSite(
  ground: Ground,
  store: OpenedStore,
  redis: OpenedRedis | null,
  verification: OpenedVerification,
  version: string,
): Promise<OwnSite> {
  // Loaded where it is served: a gateway in front of machines alone needs none of it.
  const [{ openSignIn }, { openSite }] = await Promise.all([import('./sign-in.ts'), import('./site.ts')]);
  const signIn = await openSignIn(ground, store, verification);
  return {
    open: (pipeline) => openSite(ground, { store, redis, verification, signIn, pipeline, version }),
    firstAdminLink: () => signIn.signIn.firstAdminLink(),
  };
}

/** What runs beside the requests. */
async function startUpkeep(
  ground: Ground,
  store: OpenedStore,
  redis: OpenedRedis | null,
  verification: OpenedVerification,
): Promise<void> {
  const { config, clock, log, closers } = ground;
  const { lifecycle } = openLifecycle(store, redis, verification.freshness, clock);
  startSourceCheck(ground, store, verification);
  closers.add(startReserve(store, log));
  closers.add(startSweep({ lifecycle, kept: keptForAWhile(store, config), clock, log }));
  closers.add(await startWarnings(ground, store));
}

function connectionLimits({ config, log, clock }: Ground, inForce: InForce): ConnectionLimits {
  return createConnectionLimits({
    bounds: () => inForce.limits,
    answers: config.listen.tls === null,
    isProxy: (address) => inForce.routing.clientSide.trusts(address),
    refused: createRefusedConnections(log, clock),
  });
}

/** Where our pages are: under every name, or under the one that the operator gave them. */
function hostsOfPages({ enabled, url }: Config['portal']): (host: string) => boolean {
  if (!enabled || url === null) return () => enabled;
  const own = new URL(url).host;
  return (host) => host === own;
}

/** What every request needs and no reload replaces. */
type LastingDeps = Omit<PipelineDeps, keyof Routing>;

function lastingDeps(
  { config, clock, closers }: Ground,
  inForce: InForce,
  { verifier, guesses }: OpenedVerification,
  made: Pick<PipelineDeps, 'assertions' | 'recorder' | 'spans'>,
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
    ...made,
    verifier,
    guesses,
    watch,
    memory: createBodyMemory(),
    spool: createSpool({
      folder: path.join(config.dataDir, 'spool'),
      bytesMax: config.limits.spoolBytes,
      watch,
    }),
    concurrent: createConcurrentRequests(() => inForce.limits.requestsPerToken),
    hasOwnPages: hostsOfPages(config.portal),
    ending: new WeakSet(),
    nextRequestId: createRequestIds(systemRandom),
  };
}

function openVerifying({ clock }: Ground, store: OpenedStore, inForce: InForce): Verifying {
  return {
    tokens: store.tokens,
    adminKeys: createAdminKeys({ store: store.adminKeys, clock, randomBytes: systemRandom }),
    acceptsMainPassword: (route) => inForce.routing.acceptsMainPassword(route),
  };
}

/** Everything behind the doors. */
interface Parts {
  readonly inForce: InForce;
  readonly connections: ConnectionLimits;
  readonly lasting: LastingDeps;
  readonly view: AdminListenerDeps;
  readonly metrics: Metrics;
  readonly tls: OpenedTls;
  readonly verifying: Verifying;
  /** Null where the operator wants none. */
  readonly site: OwnSite | null;
}

function publicPlace(
  { host, port, socket, socketMode }: Config['listen'],
  descriptor: number | undefined,
): ListenPlace {
  return {
    host,
    port,
    socket: descriptor,
    file: socket === null ? null : { path: socket, mode: socketMode },
  };
}

async function openDoors(ground: Ground, parts: Parts): Promise<Gateway> {
  const { config, log, closers, place } = ground;
  const { inForce, connections, lasting, view, metrics, site, tls, verifying } = parts;
  let pipeline: PipelineDeps = { ...lasting, ...inForce.routing };
  closers.add(() => inForce.routing.close());
  const admin = place === null ? await openAdmin(ground, view) : null;
  const keys = JSON.stringify(lasting.assertions.jwks);
  const door = createPublicListener({
    pipeline: () => pipeline,
    assertionKeys: () => (inForce.routing.sendsAssertions ? keys : null),
    ownPages: site?.open(() => pipeline) ?? null,
    connections,
    tls: config.listen.tls,
    isUnix: config.listen.socket !== null,
    proxies: config.listen.proxyProtocol
      ? { isProxy: (address) => inForce.routing.clientSide.trusts(address) }
      : null,
    handshakeFailed: () => tls.handshakeFailed(),
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
  const doors = await openDoorListeners(ground, () => pipeline, verifying);
  closers.add(() => doors.drain(0));
  const doorPorts = await doors.listen();
  const port = await door.listen(publicPlace(config.listen, place?.sockets['public']));
  tls.keep(door);
  return {
    port,
    adminPort: admin?.port ?? null,
    doors: doorPorts,
    log,
    view,
    snapshot: () => metrics.snapshot(),
    firstAdminLink: async () => (await site?.firstAdminLink()) ?? null,
    reload(next) {
      const needRestart = inForce.replace(next);
      tls.replace(next.listen);
      pipeline = { ...lasting, ...inForce.routing };
      metrics.configLoaded(true);
      return needRestart;
    },
    reloadFailed: () => metrics.configLoaded(false),
    async drain(lingerMs = 0) {
      admin?.listener.startDraining();
      const { drainMs } = config.limits;
      await Promise.all([door.drain(drainMs, lingerMs), doors.drain(drainMs, lingerMs)]);
      await closers.closeAll();
    },
  };
}

async function openAdmin(
  { config, closers }: Ground,
  view: AdminListenerDeps,
): Promise<{ readonly listener: AdminListener; readonly port: number }> {
  const listener = createAdminListener(view);
  const port = await listener.listen(config.admin.host, config.admin.port);
  closers.add(() => listener.close());
  return { listener, port };
}
