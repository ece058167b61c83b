import { AggregatorRegistry, Registry } from 'prom-client';
import { exposeCounter, exposeGauge } from './exposition.ts';
import { exposeProcess } from './process-metrics.ts';
import { CounterTally } from './tally.ts';

/** How workers end. */
const ends = ['replaced', 'died', 'hung'] as const;

/** What the supervisor knows of workers itself. */
export interface WorkerCounts {
  /** Those that serve. */
  readonly ready: number;
  readonly wanted: number;
}

/** The metrics of all workers as one process would have them; `Worker` is whatever tells them apart. */
export interface MetricsOfWorkers<Worker> {
  /** The exposition of what these have just said (see `Metrics.snapshot`), the rest said before, and of the supervisor. */
  render(said: readonly (readonly [Worker, readonly object[]])[]): Promise<string>;
  /** What a worker says at its end. */
  last(worker: Worker, metrics: readonly object[]): void;
  /** A worker has ended. What it counted stays counted, as far as anybody has seen it. */
  left(worker: Worker, reason: (typeof ends)[number]): void;
  /** The media type of `render`. */
  readonly contentType: string;
}

/** A metric as prom-client has it as JSON. */
interface Metric {
  readonly type: unknown;
}

/**
 * See `MetricsOfWorkers`. Counters and histograms never go down: that would look like a restart, and what was counted
 * before would be taken as new.
 */
export function createMetricsOfWorkers<Worker>(counts: () => WorkerCounts): MetricsOfWorkers<Worker> {
  const leaves = new CounterTally();
  for (const end of ends) leaves.begin(end);
  const own = ownRegistry(counts, leaves);
  const shown = new Map<Worker, readonly object[]>();
  let past: readonly object[] = [];
  let ended: (readonly object[])[] = [];
  let merging: Promise<void> = Promise.resolve();

  /** One set for all that ended, however many those are. */
  async function mergeEnded(): Promise<void> {
    if (ended.length === 0) return;
    const sets = [past, ...ended.splice(0)];
    past = await together(sets).getMetricsAsJSON();
  }

  return {
    async render(said) {
      for (const [worker, metrics] of said) shown.set(worker, metrics);
      merging = merging.then(mergeEnded);
      await merging;
      const ownMetrics = await own.getMetricsAsJSON();
      return together([...shown.values(), past, ownMetrics]).metrics();
    },
    last: (worker, metrics) => void shown.set(worker, metrics),
    left(worker, reason) {
      leaves.add(reason);
      const metrics = shown.get(worker) ?? [];
      shown.delete(worker);
      ended = [...ended, metrics.filter((metric) => (metric as Metric).type !== 'gauge')];
    },
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
  };
}

/** What workers say arrives as plain objects, so prom-client's own classes of type are out of reach. */
function together(sets: readonly (readonly object[])[]): Registry {
  return AggregatorRegistry.aggregate(sets.map((set) => [...set]));
}

function ownRegistry(counts: () => WorkerCounts, leaves: CounterTally): Registry {
  const registry = new Registry();
  exposeProcess(registry);
  const help = 'Workers that serve (ready), and how many there should be (wanted).';
  exposeGauge(registry, 'latchkey_workers', help, ['state'], 'sum', (set) => {
    for (const [state, count] of Object.entries(counts())) set([state], count);
  });
  exposeCounter(
    registry,
    'latchkey_workers_left_total',
    'Workers that ended, by reason.',
    ['reason'],
    leaves,
  );
  return registry;
}
