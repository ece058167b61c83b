/** Label values of one series, in the order of the label names. */
export type LabelValues = readonly string[];

/** A counter's series: its label values and its count so far. */
export interface CounterSeries {
  readonly labels: LabelValues;
  count: number;
}

/**
 * Counts by up to three labels with look-ups only: the hot path makes no string and no object
 * once a series exists. Label values must come from bounded sets; nothing is ever forgotten.
 */
export class CounterTally {
  readonly #series = new Map<string, Map<string, Map<string, CounterSeries>>>();

  /** Adds one to the series of these label values; leave out those the counter does not have. */
  add(first: string, second = '', third = ''): void {
    const series = this.#series.get(first)?.get(second)?.get(third);
    if (series === undefined) this.#start(first, second, third).count = 1;
    else series.count++;
  }

  /** Shows a series at 0 before anything happened, so that the first event is seen as one. Not for one that exists. */
  begin(first: string): void {
    this.#start(first, '', '');
  }

  /** Every series so far. */
  *series(): Generator<CounterSeries> {
    for (const second of this.#series.values()) for (const third of second.values()) yield* third.values();
  }

  #start(first: string, second: string, third: string): CounterSeries {
    const seconds = this.#series.get(first) ?? new Map<string, Map<string, CounterSeries>>();
    const thirds = seconds.get(second) ?? new Map<string, CounterSeries>();
    const series = { labels: [first, second, third], count: 0 };
    this.#series.set(first, seconds);
    seconds.set(second, thirds);
    thirds.set(third, series);
    return series;
  }
}

/** A histogram's series: per-bucket counts (not cumulative, the last is +Inf), sum and label value. */
export interface HistogramSeries {
  readonly label: string;
  readonly counts: Float64Array;
  sum: number;
}

/** Observations by one label into fixed buckets, as cheaply as {@link CounterTally}. */
export class HistogramTally {
  /** Upper bounds, ascending, +Inf left out. */
  readonly bounds: readonly number[];
  readonly #series = new Map<string, HistogramSeries>();

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
  }

  /** Counts the value into the first bucket whose bound it does not exceed. */
  observe(label: string, value: number): void {
    let series = this.#series.get(label);
    if (series === undefined) {
      series = { label, counts: new Float64Array(this.bounds.length + 1), sum: 0 };
      this.#series.set(label, series);
    }
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] ?? Infinity)) bucket++;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += value;
  }

  /** Every series so far. */
  series(): Iterable<HistogramSeries> {
    return this.#series.values();
  }
}
