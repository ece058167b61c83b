import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics.ts';
import { createMetricsOfWorkers, type MetricsOfWorkers } from '../../../src/telemetry/metrics-of-workers.ts';

interface Worker {
  readonly metrics: Metrics;
  requests(count: number): void;
}

function worker(state: { readonly connections: number; readonly trusted: boolean }): Worker {
  const metrics = createMetrics({
    version: '0.1.0',
    clock: { now: () => 0, monotonic: () => 0 },
    sources: {
      tokens: async () => ({ active: 3 }),
      feeds: () => [{ name: 'journal', heardAgeMs: 20 }],
      cachesTrusted: () => state.trusted,
      redisUp: () => null,
      connections: () => ({ open: state.connections, refused: { connections: 1 } }),
      tls: () => null,
      logLinesDropped: () => 0,
    },
  });
  return {
    metrics,
    requests(count) {
      for (let at = 0; at < count; at++) {
        metrics.requestStarted();
        metrics.requestFinished({ method: 'GET', status: 200, route: 'files', durationMs: 20 });
      }
    },
  };
}

async function rendered(
  all: MetricsOfWorkers<string>,
  workers: Readonly<Record<string, Worker>>,
): Promise<(line: string) => number> {
  const said = Object.entries(workers).map(
    async ([name, { metrics }]) => [name, await metrics.snapshot()] as const,
  );
  // As over a channel: plain data, nothing of prom-client's own.
  const text = await all.render(structuredClone(await Promise.all(said)));
  return (series) => {
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? Number.NaN : Number(line.slice(series.length + 1));
  };
}

const requestsTotal = 'latchkey_http_requests_total{method="GET",code="200",upstream="files"}';
const durationsCount = 'latchkey_http_request_duration_seconds_count{upstream="files"}';

test('counts are summed up, states are the sum or the worst of all workers', async () => {
  const all = createMetricsOfWorkers<string>(() => ({ ready: 2, wanted: 3 }));
  const first = worker({ connections: 4, trusted: true });
  const second = worker({ connections: 5, trusted: false });
  first.requests(2);
  second.requests(3);
  const value = await rendered(all, { first, second });
  assert.equal(value(requestsTotal), 5);
  assert.equal(value(durationsCount), 5);
  assert.equal(value('latchkey_http_request_duration_seconds_bucket{le="0.025",upstream="files"}'), 5);
  assert.equal(value('latchkey_client_connections'), 9);
  assert.equal(value('latchkey_client_connections_refused_total{limit="connections"}'), 2);
  assert.equal(value('latchkey_caches_trusted'), 0);
  assert.equal(value('latchkey_tokens{state="active"}'), 3);
  assert.equal(value('latchkey_build_info{version="0.1.0",node="' + process.version + '"}'), 1);
  assert.equal(value('latchkey_workers{state="ready"}'), 2);
  assert.equal(value('latchkey_workers{state="wanted"}'), 3);
  for (const reason of ['replaced', 'died', 'hung']) {
    assert.equal(value(`latchkey_workers_left_total{reason="${reason}"}`), 0, 'shown before the first');
  }
});

test('what a worker counted stays counted when it has ended; its states go with it', async () => {
  const all = createMetricsOfWorkers<string>(() => ({ ready: 1, wanted: 1 }));
  const first = worker({ connections: 4, trusted: false });
  const second = worker({ connections: 5, trusted: true });
  first.requests(2);
  await rendered(all, { first });
  first.requests(1);
  all.last('first', await first.metrics.snapshot());
  all.left('first', 'replaced');
  second.requests(1);
  for (const round of [1, 2]) {
    const value = await rendered(all, { second });
    assert.equal(value(requestsTotal), 4, `round ${round}`);
    assert.equal(value(durationsCount), 4);
    assert.equal(value('latchkey_client_connections'), 5);
    assert.equal(value('latchkey_caches_trusted'), 1);
    assert.equal(value('latchkey_workers_left_total{reason="replaced"}'), 1);
  }
});

test('a worker that says nothing for once keeps its counts as they were shown last', async () => {
  const all = createMetricsOfWorkers<string>(() => ({ ready: 1, wanted: 1 }));
  const first = worker({ connections: 4, trusted: true });
  first.requests(2);
  await rendered(all, { first });
  assert.equal((await rendered(all, {}))(requestsTotal), 2);
  all.left('first', 'died');
  assert.equal((await rendered(all, {}))(requestsTotal), 2);
});
