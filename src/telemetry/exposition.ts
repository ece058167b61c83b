import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CounterSeries, HistogramTally } from './tally.ts';

/** Gives a gauge one value; label values in the order of the names. */
export type SetGauge = (labels: readonly string[], value: number) => void;

/** What a gauge of all workers together is: their sum, or the value of one of them. */
export type AcrossWorkers = 'sum' | 'max' | 'min';

/** Registers a gauge that `collect` sets anew at each scrape; what it does not set is absent. */
export function exposeGauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  across: AcrossWorkers,
  collect: (set: SetGauge) => void | Promise<void>,
): void {
  const gauge = new Gauge({
    name: name,
    help,
    labelNames: [...labelNames],
    aggregator: across,
    registers: [],
    async collect() {
      const found: [labels: Record<string, string>, value: number][] = [];
      await collect((values, value) => found.push([labelled(labelNames, values), value]));
      this.reset();
      // Without labels `reset` leaves a 0 behind, which nobody stated.
      if (labelNames.length === 0) this.remove();
      for (const [labels, value] of found) this.set(labels, value);
    },
  });
  registry.registerMetric(gauge);
}

/** Registers a counter whose series are read at each scrape. */
export function exposeCounter(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  tally: { series(): Iterable<CounterSeries> },
): void {
  const counter = new Counter({
    name: name,
    help,
    labelNames: [...labelNames],
    registers: [],
    collect() {
      this.reset();
      for (const { labels, count } of tally.series()) this.inc(labelled(labelNames, labels), count);
    },
  });
  registry.registerMetric(counter);
}

/** Registers a histogram whose series are read at each scrape. */
export function exposeHistogram(
  registry: Registry,
  name: string,
  help: string,
  labelName: string,
  tally: HistogramTally,
): void {
  registry.registerMetric(new TalliedHistogram(name, help, labelName, tally));
}

interface HistogramValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly sharedLabels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A prom-client histogram whose values come from a tally: its own `observe` costs too much per request. */
class TalliedHistogram extends Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #labelName: string;
  readonly #tally: HistogramTally;

  constructor(name: string, help: string, labelName: string, tally: HistogramTally) {
    super({ name, help, labelNames: [labelName], buckets: [...tally.bounds], registers: [] });
    this.#name = name;
    this.#help = help;
    this.#labelName = labelName;
    this.#tally = tally;
  }

  /** What prom-client reads for its text, and rearranges for its `get`. */
  async getForPromString(): Promise<object> {
    return {
      name: this.#name,
      help: this.#help,
      type: 'histogram',
      aggregator: 'sum',
      values: [...this.#values()],
    };
  }

  *#values(): Generator<HistogramValue> {
    for (const { label, counts, sum } of this.#tally.series()) {
      const sharedLabels = { [this.#labelName]: label };
      let count = 0;
      for (const [bucket, added] of counts.entries()) {
        count += added;
        const labels = { le: this.#tally.bounds[bucket] ?? '+Inf' };
        yield { metricName: `${this.#name}_bucket`, labels, sharedLabels, value: count };
      }
      yield { metricName: `${this.#name}_sum`, labels: {}, sharedLabels, value: sum };
      yield { metricName: `${this.#name}_count`, labels: {}, sharedLabels, value: count };
    }
  }
}

function labelled(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}
