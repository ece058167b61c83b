import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { systemClock } from '../../src/core/clock.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { createMetricsOfWorkers } from '../../src/telemetry/metrics-of-workers.ts';
import { run } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { chartFolder } from '../support/helm.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

const rulesFile = join(chartFolder, 'rules/latchkey.yaml');
const alertTests = join(import.meta.dirname, 'alerts.promtool.yaml');
const read = (...parts: readonly string[]): Promise<string> => readFile(join(...parts), 'utf8');

const rules = (
  parse(await read(rulesFile)) as { groups: readonly { rules: readonly Rule[] }[] }
).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(await read(chartFolder, 'dashboards/latchkey.json')) as {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
};

/** Every sample name of a gateway that has Redis, and in which everything has happened once. */
async function exposedNames(): Promise<ReadonlySet<string>> {
  const metrics = createMetrics({
    version: '0.0.0',
    clock: systemClock,
    sources: {
      tokens: async () => ({ active: 1 }),
      feeds: () => [{ name: 'journal', heardAgeMs: 1 }],
      cachesTrusted: () => true,
      redisUp: () => true,
      tls: () => ({ expiresMs: 1, isCurrent: true, handshakesFailed: 1 }),
      connections: () => ({ open: 1, refused: { connections: 1 } }),
      logLinesDropped: () => 1,
    },
  });
  metrics.requestStarted();
  metrics.requestFinished({ method: 'GET', status: 200, route: 'files', durationMs: 1 });
  metrics.auth({ scheme: 'basic', result: 'ok', tier: 'l1', durationMs: 1 });
  metrics.upstreamError('backend_reset');
  metrics.rateLimited();
  metrics.tokenRequestRefused();
  metrics.configLoaded(true);
  let text = '';
  // Each scrape starts the look at the event loop anew, and a look takes two tenths of a second.
  await eventually(
    'every metric to have a value',
    async () => (text = await metrics.render()).includes('\nnodejs_eventloop_lag_seconds{'),
    { withinMs: 20_000, everyMs: 600 },
  );
  const workers = createMetricsOfWorkers<string>(() => ({ ready: 1, wanted: 1 }));
  workers.left('one', 'died');
  text += await workers.render([]);
  return new Set([...text.matchAll(/^([a-z][a-z0-9_]*)(?:\{|\s)/gm)].map(([, name = '']) => name));
}

/** The metrics that an expression asks for. */
function metricNames(expression: string): readonly string[] {
  const bare = expression.replaceAll(/"[^"]*"/g, '""');
  return [...bare.matchAll(/\b((?:latchkey|process|nodejs)_[a-z0-9_]+)\b/g)].map(([, name = '']) => name);
}

describe('the alert rules', () => {
  test('are rules to promtool', requireProgram('promtool'), async () => {
    const { code, stdout, stderr } = await promtool('check', 'rules', '--lint-fatal', rulesFile);
    assert.equal(code, 0, `${stdout}${stderr}`);
  });

  test('raise what they should, and nothing while all is well', requireProgram('promtool'), async () => {
    const { code, stdout, stderr } = await promtool('test', 'rules', alertTests);
    assert.equal(code, 0, `${stdout}${stderr}`);
  });

  test('are each tested', async () => {
    const text = await read(alertTests);
    const untested = rules.filter(({ alert }) => !text.includes(`alertname="${alert}"`));
    assert.deepEqual(untested, []);
  });

  test('ask only for metrics that a gateway has', async () => {
    const exposed = await exposedNames();
    const unknown = rules.flatMap(({ expr }) => metricNames(expr)).filter((name) => !exposed.has(name));
    assert.deepEqual(unknown, []);
  });

  test('each have a severity, a summary and a description, and stand in docs/monitoring.md', async () => {
    const page = await read(import.meta.dirname, '../../docs/monitoring.md');
    for (const { alert, labels, annotations } of rules) {
      assert.match(labels.severity, /^(critical|warning|info)$/, alert);
      assert.ok(annotations.summary.length > 0 && annotations.description.endsWith('.'), alert);
      assert.ok(page.includes(`\`${alert}\``), `docs/monitoring.md says nothing of ${alert}`);
    }
  });
});

describe('the dashboard', () => {
  const expressions = dashboard.panels.flatMap((panel) => (panel.targets ?? []).map(({ expr }) => expr));

  test('asks only for metrics that a gateway has', async () => {
    const exposed = await exposedNames();
    const queries = dashboard.templating.list.map(({ definition = '' }) => definition);
    const unknown = [...expressions, ...queries].flatMap(metricNames).filter((name) => !exposed.has(name));
    assert.deepEqual(unknown, []);
  });

  test('asks in expressions that promtool understands', requireProgram('promtool'), async () => {
    const scratch = await makeScratch('dashboard');
    const file = scratch.file('rules.json');
    const asked = expressions.map((each, index) => ({
      record: `panel:${index}`,
      expr: each.replaceAll('$__rate_interval', '5m'),
    }));
    await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: asked }] }));
    const { code, stdout, stderr } = await promtool('check', 'rules', file);
    await scratch.remove();
    assert.equal(code, 0, `${stdout}${stderr}`);
  });

  test('takes its data source from a variable', async () => {
    const text = await read(chartFolder, 'dashboards/latchkey.json');
    const sources = new Set([...text.matchAll(/"uid": "([^"]+)"/g)].map(([, uid = '']) => uid));
    assert.deepEqual([...sources].toSorted(), ['${datasource}', 'latchkey']);
    assert.equal(dashboard.templating.list[0]?.type, 'datasource');
  });

  test('has panels of different numbers, none over another', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)]);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    assert.equal(cells.length, new Set(cells).size);
  });
});

function promtool(...args: readonly string[]): ReturnType<typeof run> {
  return run({ label: `promtool ${args.join(' ')}`, command: 'promtool', args });
}
