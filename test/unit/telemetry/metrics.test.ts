import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics, type MetricSources, type Metrics } from '../../../src/telemetry/metrics.ts';

const quiet: MetricSources = {
  tokens: async () => ({ active: 3, disabled: 1, expired: 0, revoked: 2 }),
  feeds: () => [
    { name: 'journal', heardAgeMs: 250 },
    { name: 'redis', heardAgeMs: null },
  ],
  cachesTrusted: () => true,
  redisUp: () => null,
  connections: () => ({ open: 0, refused: {} }),
  tls: () => null,
  logLinesDropped: () => 0,
};

function metricsWith(sources: Partial<MetricSources> = {}, time = { nowMs: 0 }): Metrics {
  return createMetrics({
    version: '0.1.0',
    clock: { now: () => 1_800_000_000_000 + time.nowMs, monotonic: () => time.nowMs },
    sources: { ...quiet, ...sources },
  });
}

function finish(
  metrics: Metrics,
  method: string,
  status: number,
  route: string | null,
  durationMs = 3,
): void {
  metrics.requestStarted();
  metrics.requestFinished({ method, status, route, durationMs });
}

async function seriesOf(metrics: Metrics): Promise<ReadonlyMap<string, number>> {
  const series = new Map<string, number>();
  for (const line of (await metrics.render()).split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{.*\})?) (\S+)$/.exec(line);
    assert.ok(match, `not an exposition line: ${line}`);
    const [, name = '', value = ''] = match;
    assert.ok(!series.has(name), `twice in one exposition: ${name}`);
    series.set(name, value === '+Inf' ? Infinity : Number(value));
    assert.ok(!Number.isNaN(series.get(name)), `not a number: ${line}`);
  }
  return series;
}

test('the exposition carries every documented name, with help and type', async () => {
  const metrics = metricsWith({ redisUp: () => true });
  finish(metrics, 'GET', 200, 'files');
  metrics.auth({ scheme: 'basic', result: 'ok', tier: 'l1', durationMs: 0.02 });
  metrics.upstreamError('backend_reset');
  metrics.rateLimited();
  metrics.tokenRequestRefused();
  metrics.configLoaded(true);
  const text = await metrics.render();
  const types = {
    build_info: 'gauge',
    http_requests_total: 'counter',
    http_requests_in_flight: 'gauge',
    http_request_duration_seconds: 'histogram',
    auth_attempts_total: 'counter',
    auth_duration_seconds: 'histogram',
    auth_cache_requests_total: 'counter',
    upstream_errors_total: 'counter',
    rate_limited_total: 'counter',
    token_requests_refused_total: 'counter',
    tokens: 'gauge',
    config_last_reload_successful: 'gauge',
    config_last_reload_success_timestamp_seconds: 'gauge',
    change_feed_heard_age_seconds: 'gauge',
    caches_trusted: 'gauge',
    redis_up: 'gauge',
    log_lines_dropped_total: 'counter',
  };
  for (const [name, type] of Object.entries(types)) {
    assert.match(text, new RegExp(`^# HELP latchkey_${name} \\S`, 'm'));
    assert.match(text, new RegExp(`^# TYPE latchkey_${name} ${type}$`, 'm'));
    assert.match(text, new RegExp(`^latchkey_${name}(_bucket)?[{ ]`, 'm'));
  }
  assert.equal(metrics.contentType, 'text/plain; version=0.0.4; charset=utf-8');
});

test('failures of backends are shown before the first of them, so that it is seen as an increase', async () => {
  const series = await seriesOf(metricsWith());
  for (const reason of ['backend_refused_credentials', 'backend_unreachable', 'backend_unasked']) {
    assert.equal(series.get(`latchkey_upstream_errors_total{reason="${reason}"}`), 0);
  }
});

test('the process tells of itself under the customary names', async () => {
  const series = await seriesOf(metricsWith());
  for (const name of [
    'process_cpu_user_seconds_total',
    'process_cpu_system_seconds_total',
    'process_cpu_seconds_total',
    'process_start_time_seconds',
    'process_resident_memory_bytes',
    'process_open_fds',
    'nodejs_heap_size_used_bytes',
    'nodejs_heap_size_total_bytes',
    'nodejs_external_memory_bytes',
  ]) {
    assert.ok((series.get(name) ?? 0) > 0, name);
  }
});

test('requests are counted by method, status and route, and timed by route', async () => {
  const metrics = metricsWith();
  finish(metrics, 'GET', 200, 'files', 3);
  finish(metrics, 'GET', 200, 'files', 5);
  finish(metrics, 'PUT', 403, 'files', 700_000);
  finish(metrics, 'GET', 404, null, 1);
  finish(metrics, 'PUT', 0, 'files', 20);
  const series = await seriesOf(metrics);
  assert.equal(series.get('latchkey_http_requests_total{method="GET",code="200",upstream="files"}'), 2);
  assert.equal(series.get('latchkey_http_requests_total{method="PUT",code="403",upstream="files"}'), 1);
  assert.equal(series.get('latchkey_http_requests_total{method="GET",code="404",upstream="none"}'), 1);
  assert.equal(series.get('latchkey_http_requests_total{method="PUT",code="none",upstream="files"}'), 1);
  const bucket = (le: string): number | undefined =>
    series.get(`latchkey_http_request_duration_seconds_bucket{le="${le}",upstream="files"}`);
  assert.equal(bucket('0.005'), 2, 'a bucket includes its own bound');
  assert.equal(bucket('0.01'), 2);
  assert.equal(bucket('0.025'), 3);
  assert.equal(bucket('600'), 3);
  assert.equal(bucket('+Inf'), 4);
  assert.equal(series.get('latchkey_http_request_duration_seconds_count{upstream="files"}'), 4);
  assert.equal(series.get('latchkey_http_request_duration_seconds_sum{upstream="files"}'), 700.028);
});

test('counts survive a scrape: they grow and never start again', async () => {
  const metrics = metricsWith();
  finish(metrics, 'GET', 200, 'files');
  const name = 'latchkey_http_requests_total{method="GET",code="200",upstream="files"}';
  assert.equal((await seriesOf(metrics)).get(name), 1);
  finish(metrics, 'GET', 200, 'files');
  assert.equal((await seriesOf(metrics)).get(name), 2);
});

test('made-up methods, odd statuses and unmatched routes open no series of their own', async () => {
  const metrics = metricsWith();
  for (let index = 0; index < 500; index++) finish(metrics, `EVIL${index}`, 700 + index, null);
  finish(metrics, 'constructor', 200, null);
  finish(metrics, 'get', 200, null);
  const series = [...(await seriesOf(metrics)).entries()].filter(([name]) =>
    name.startsWith('latchkey_http_requests_total'),
  );
  assert.deepEqual(series, [
    ['latchkey_http_requests_total{method="_OTHER",code="none",upstream="none"}', 500],
    ['latchkey_http_requests_total{method="_OTHER",code="200",upstream="none"}', 2],
  ]);
});

test('a route name with quotes and line breaks cannot break the exposition', async () => {
  const metrics = metricsWith();
  finish(metrics, 'GET', 200, 'a"b\\c\nd');
  const series = await seriesOf(metrics);
  assert.equal(
    series.get('latchkey_http_requests_total{method="GET",code="200",upstream="a\\"b\\\\c\\nd"}'),
    1,
  );
});

test('credentials are counted by scheme and result, and by the tier that answered', async () => {
  const metrics = metricsWith();
  metrics.auth({ scheme: 'basic', result: 'ok', tier: 'l1', durationMs: 0.01 });
  metrics.auth({ scheme: 'bearer', result: 'ok', tier: 'redis', durationMs: 0.7 });
  metrics.auth({ scheme: 'basic', result: 'revoked', tier: 'store', durationMs: 2 });
  metrics.auth({ scheme: 'basic', result: 'malformed', tier: 'none', durationMs: 0.01 });
  const series = await seriesOf(metrics);
  assert.equal(series.get('latchkey_auth_attempts_total{scheme="basic",result="ok"}'), 1);
  assert.equal(series.get('latchkey_auth_attempts_total{scheme="basic",result="revoked"}'), 1);
  assert.equal(series.get('latchkey_auth_cache_requests_total{result="l1"}'), 1);
  assert.equal(series.get('latchkey_auth_cache_requests_total{result="redis"}'), 1);
  assert.equal(series.get('latchkey_auth_cache_requests_total{result="miss"}'), 1);
  assert.equal(
    series.get('latchkey_auth_cache_requests_total{result="none"}'),
    undefined,
    'no cache was asked',
  );
  assert.equal(series.get('latchkey_auth_duration_seconds_bucket{le="0.0005",tier="l1"}'), 1);
  assert.equal(series.get('latchkey_auth_duration_seconds_bucket{le="0.0005",tier="redis"}'), 0);
});

test('requests in flight rise and fall', async () => {
  const metrics = metricsWith();
  metrics.requestStarted();
  metrics.requestStarted();
  assert.equal((await seriesOf(metrics)).get('latchkey_http_requests_in_flight'), 2);
  metrics.requestFinished({ method: 'GET', status: 200, route: 'files', durationMs: 1 });
  assert.equal((await seriesOf(metrics)).get('latchkey_http_requests_in_flight'), 1);
});

test('token counts are asked for at most once a minute', async () => {
  const time = { nowMs: 0 };
  let asked = 0;
  const metrics = metricsWith({ tokens: async () => ({ active: ++asked }) }, time);
  await metrics.render();
  time.nowMs = 59_000;
  assert.equal((await seriesOf(metrics)).get('latchkey_tokens{state="active"}'), 1);
  time.nowMs = 61_000;
  assert.equal((await seriesOf(metrics)).get('latchkey_tokens{state="active"}'), 2);
});

test('a scrape works while the store is away, without the token counts', async () => {
  const metrics = metricsWith({ tokens: () => Promise.reject(new Error('locked')) });
  const names = [...(await seriesOf(metrics)).keys()];
  assert.ok(names.includes('latchkey_caches_trusted'));
  assert.ok(!names.some((name) => name.startsWith('latchkey_tokens')));
});

test('the health of the revocation channels and of Redis is told', async () => {
  const without = await seriesOf(metricsWith());
  assert.equal(without.get('latchkey_change_feed_heard_age_seconds{feed="journal"}'), 0.25);
  assert.equal(without.get('latchkey_change_feed_heard_age_seconds{feed="redis"}'), Infinity);
  assert.equal(without.get('latchkey_caches_trusted'), 1);
  assert.equal(without.get('latchkey_redis_up'), undefined, 'absent where no Redis is configured');
  const failing = await seriesOf(metricsWith({ redisUp: () => false, cachesTrusted: () => false }));
  assert.equal(failing.get('latchkey_redis_up'), 0);
  assert.equal(failing.get('latchkey_caches_trusted'), 0);
});

test('a failed reload keeps the time of the last good one', async () => {
  const time = { nowMs: 0 };
  const metrics = metricsWith({}, time);
  metrics.configLoaded(true);
  time.nowMs = 5_000;
  metrics.configLoaded(false);
  const series = await seriesOf(metrics);
  assert.equal(series.get('latchkey_config_last_reload_successful'), 0);
  assert.equal(series.get('latchkey_config_last_reload_success_timestamp_seconds'), 1_800_000_000);
});

test('two gateways in one process do not share counts', async () => {
  const first = metricsWith();
  const second = metricsWith();
  finish(first, 'GET', 200, 'files');
  assert.doesNotMatch(await second.render(), /^latchkey_http_requests_total\{/m);
});
