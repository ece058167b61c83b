import { Counter, Gauge, Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { type FaultCode, faults, isBackendFault } from '../core/errors.ts';
import { exposeCounter, exposeGauge, exposeHistogram } from './exposition.ts';
import { exposeProcess } from './process-metrics.ts';
import { exposeTls, type TlsState } from './tls-metrics.ts';
import { CounterTally, HistogramTally } from './tally.ts';

/** A finished request. */
export interface RequestSample {
  /** As received; unknown ones are counted as `_OTHER`. */
  readonly method: string;
  /** Status sent; 0 where the client was gone before. */
  readonly status: number;
  /** Route name; null where none matched. */
  readonly route: string | null;
  readonly durationMs: number;
}

/** A credential judged. */
export interface AuthSample {
  readonly scheme: 'basic' | 'bearer' | 'header' | 'query' | 'other' | 'none';
  /** `ok` or the reason of the refusal: a name from the code, never input. */
  readonly result: string;
  readonly tier: 'none' | 'l1' | 'redis' | 'store';
  readonly durationMs: number;
}

/** How a change feed is doing. */
export interface FeedHealth {
  readonly name: string;
  /** Milliseconds since the feed was last heard; null: not yet. */
  readonly heardAgeMs: number | null;
}

/** Connections of clients on the public port. */
export interface ConnectionCounts {
  readonly open: number;
  /** So far, by the limit that they would have passed: a key of the configuration. */
  readonly refused: Readonly<Record<string, number>>;
}

/** What a scrape asks of the rest of the process. */
export interface MetricSources {
  /** Asked at most once a minute, because it may be slow; where it rejects, the gauge is left out. */
  tokens(): Promise<Readonly<Record<string, number>>>;
  feeds(): readonly FeedHealth[];
  /** Whether cached answers may be given just now. */
  cachesTrusted(): boolean;
  /** Null where no Redis is configured. */
  redisUp(): boolean | null;
  connections(): ConnectionCounts;
  /** Null where clients are spoken to in plain HTTP. */
  tls(): TlsState | null;
  /** Log lines lost to a slow or absent reader. */
  logLinesDropped(): number;
}

/** Counts and durations of the process. No label ever holds a user, a token or a path. */
export interface Metrics {
  /** A request has begun; must be followed by one {@link Metrics.requestFinished}. */
  requestStarted(): void;
  requestFinished(sample: RequestSample): void;
  auth(sample: AuthSample): void;
  /** A request failed at the backend, or the backend sent something without one. */
  upstreamError(reason: FaultCode | 'backend_unasked'): void;
  /** A refused credential was answered 429. */
  rateLimited(): void;
  /** A request was answered 429 because its token had as many under way as it may. */
  tokenRequestRefused(): void;
  /** A configuration was read at start or reload. */
  configLoaded(successful: boolean): void;
  /** The exposition in Prometheus' text format, version 0.0.4. */
  render(): Promise<string>;
  /** The same as data, to be put together with that of other processes. */
  snapshot(): Promise<readonly object[]>;
  /** The media type of {@link Metrics.render}. */
  readonly contentType: string;
}

/** What metrics need. */
export interface MetricsDeps {
  /** Version of the product, for `latchkey_build_info`. */
  readonly version: string;
  readonly clock: Clock;
  readonly sources: MetricSources;
}

const requestBoundsSeconds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 120, 600,
];
const authBoundsSeconds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
];

/** Methods that keep their name; the rest could be anything a client makes up. */
const knownMethods: ReadonlySet<string> = new Set(
  (
    'GET HEAD OPTIONS POST PUT PATCH DELETE TRACE CONNECT PROPFIND PROPPATCH MKCOL MKCALENDAR COPY MOVE LOCK UNLOCK ' +
    'REPORT SEARCH ACL BIND UNBIND REBIND QUERY'
  ).split(' '),
);

/** Every status as a label value, made once: the hot path shall not make strings. */
const codeLabels: readonly string[] = Array.from({ length: 600 }, (_, status) =>
  status < 100 ? 'none' : String(status),
);

const tokenCountsTtlMs = 60_000;

/** Metrics in a registry of their own, process defaults included. */
export function createMetrics(deps: MetricsDeps): Metrics {
  const registry = new Registry();
  const requests = new CounterTally();
  const durations = new HistogramTally(requestBoundsSeconds);
  const attempts = new CounterTally();
  const authDurations = new HistogramTally(authBoundsSeconds);
  const cacheRequests = new CounterTally();
  let inFlight = 0;

  exposeCounter(
    registry,
    'latchkey_http_requests_total',
    'Requests finished.',
    ['method', 'code', 'upstream'],
    requests,
  );
  exposeHistogram(
    registry,
    'latchkey_http_request_duration_seconds',
    'Whole requests, body transfers included.',
    'upstream',
    durations,
  );
  exposeCounter(
    registry,
    'latchkey_auth_attempts_total',
    'Credentials judged.',
    ['scheme', 'result'],
    attempts,
  );
  exposeHistogram(
    registry,
    'latchkey_auth_duration_seconds',
    'Judging a credential, by the tier that knew the answer.',
    'tier',
    authDurations,
  );
  exposeCounter(
    registry,
    'latchkey_auth_cache_requests_total',
    'Credentials looked up: answered by l1, redis, or by neither (miss).',
    ['result'],
    cacheRequests,
  );
  const rare = exposeRareEvents(registry, deps.clock);
  exposeState(registry, deps, () => inFlight);
  exposeProcess(registry);

  return {
    requestStarted: () => {
      inFlight++;
    },
    requestFinished: ({ method, status, route, durationMs }) => {
      inFlight--;
      const upstream = route ?? 'none';
      requests.add(knownMethods.has(method) ? method : '_OTHER', codeLabels[status] ?? 'none', upstream);
      durations.observe(upstream, durationMs / 1_000);
    },
    auth: ({ scheme, result, tier, durationMs }) => {
      attempts.add(scheme, result);
      authDurations.observe(tier, durationMs / 1_000);
      if (tier !== 'none') cacheRequests.add(tier === 'store' ? 'miss' : tier);
    },
    ...rare,
    render: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
    contentType: registry.contentType,
  };
}

/** Registers what happens too seldom to need a tally. */
function exposeRareEvents(
  registry: Registry,
  clock: Clock,
): Pick<Metrics, 'upstreamError' | 'rateLimited' | 'tokenRequestRefused' | 'configLoaded'> {
  const registers = [registry];
  const upstreamErrors = new Counter({
    name: 'latchkey_upstream_errors_total',
    help: 'Requests that failed at the backend, and what it sent unasked.',
    labelNames: ['reason'],
    registers,
  });
  // A counter that is born at 1 hides its first event from whoever looks at increases.
  for (const reason of [...Object.keys(faults).filter(isBackendFault), 'backend_unasked']) {
    upstreamErrors.inc({ reason }, 0);
  }
  const rateLimited = new Counter({
    name: 'latchkey_rate_limited_total',
    help: 'Refused credentials answered 429 because of earlier failures.',
    registers,
  });
  const tokenRequestsRefused = new Counter({
    name: 'latchkey_token_requests_refused_total',
    help: 'Requests answered 429 because their token had limits.requestsPerToken under way.',
    registers,
  });
  const reloadSuccessful = new Gauge({
    name: 'latchkey_config_last_reload_successful',
    help: '1 where the newest configuration is in force, 0 where it was wrong and the old one is.',
    aggregator: 'min',
    registers,
  });
  const reloadedAt = new Gauge({
    name: 'latchkey_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration in force was read.',
    aggregator: 'min',
    registers,
  });
  return {
    upstreamError: (reason) => upstreamErrors.inc({ reason }),
    rateLimited: () => rateLimited.inc(),
    tokenRequestRefused: () => tokenRequestsRefused.inc(),
    configLoaded: (successful) => {
      reloadSuccessful.set(successful ? 1 : 0);
      if (successful) reloadedAt.set(clock.now() / 1_000);
    },
  };
}

/** Registers what is asked for at each scrape. */
function exposeState(registry: Registry, deps: MetricsDeps, inFlight: () => number): void {
  const { sources } = deps;
  exposeGauge(
    registry,
    'latchkey_build_info',
    'Always 1; the version is in the labels.',
    ['version', 'node'],
    'max',
    (set) => set([deps.version, process.version], 1),
  );
  exposeGauge(
    registry,
    'latchkey_http_requests_in_flight',
    'Requests begun and not finished.',
    [],
    'sum',
    (set) => set([], inFlight()),
  );
  const countTokens = cachedCounts(sources, deps.clock);
  exposeGauge(
    registry,
    'latchkey_tokens',
    'Tokens by state, counted at most once a minute.',
    ['state'],
    'max',
    async (set) => {
      for (const [state, count] of Object.entries(await countTokens())) set([state], count);
    },
  );
  exposeGauge(
    registry,
    'latchkey_change_feed_heard_age_seconds',
    'Since a change feed was last heard; +Inf before the first time.',
    ['feed'],
    'max',
    (set) => {
      for (const { name, heardAgeMs } of sources.feeds()) set([name], (heardAgeMs ?? Infinity) / 1_000);
    },
  );
  exposeGauge(
    registry,
    'latchkey_caches_trusted',
    '1 while a change feed is heard; at 0 every credential is looked up in the store.',
    [],
    'min',
    (set) => set([], sources.cachesTrusted() ? 1 : 0),
  );
  exposeConnections(registry, sources);
  exposeTls(registry, () => sources.tls());
  exposeGauge(
    registry,
    'latchkey_redis_up',
    '1 while Redis answers; absent without Redis.',
    [],
    'min',
    (set) => {
      const up = sources.redisUp();
      if (up !== null) set([], up ? 1 : 0);
    },
  );
  exposeCounter(
    registry,
    'latchkey_log_lines_dropped_total',
    'Log lines lost because nobody read them in time.',
    [],
    {
      *series() {
        yield { labels: [], count: sources.logLinesDropped() };
      },
    },
  );
}

/** Registers how many connections there are, and were refused. */
function exposeConnections(registry: Registry, sources: MetricSources): void {
  exposeGauge(
    registry,
    'latchkey_client_connections',
    'Connections of clients that are open.',
    [],
    'sum',
    (set) => set([], sources.connections().open),
  );
  exposeCounter(
    registry,
    'latchkey_client_connections_refused_total',
    'Connections of clients beyond a limit.',
    ['limit'],
    {
      *series() {
        for (const [limit, count] of Object.entries(sources.connections().refused))
          yield { labels: [limit], count };
      },
    },
  );
}

/** Token counts no older than a minute; empty where they cannot be had. */
function cachedCounts(sources: MetricSources, clock: Clock): () => Promise<Readonly<Record<string, number>>> {
  let countedAt = -Infinity;
  let counts: Readonly<Record<string, number>> = {};
  return async () => {
    if (clock.monotonic() - countedAt < tokenCountsTtlMs) return counts;
    try {
      counts = await sources.tokens();
      countedAt = clock.monotonic();
    } catch {
      // A store that is away must not cost the rest of the scrape; its absence shows as missing series.
      counts = {};
    }
    return counts;
  };
}
