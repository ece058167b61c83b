/** How far two sets of samples are apart. */
export interface Apart {
  /** Kolmogorov-Smirnov: the greatest distance between the two cumulative distributions, 0 to 1. */
  readonly distance: number;
  /** What two sets of this size from one source exceed once in a thousand times. */
  readonly distanceMax: number;
  /** Difference of the medians, the second less the first. */
  readonly medianGap: number;
}

/** Compares two sets of samples; the second is held against the first. */
export function howFarApart(first: readonly number[], second: readonly number[]): Apart {
  const [a, b] = [first.toSorted((x, y) => x - y), second.toSorted((x, y) => x - y)];
  let [atA, atB, distance] = [0, 0, 0];
  while (atA < a.length && atB < b.length) {
    const value = Math.min(a[atA] as number, b[atB] as number);
    while (a[atA] === value) atA++;
    while (b[atB] === value) atB++;
    distance = Math.max(distance, Math.abs(atA / a.length - atB / b.length));
  }
  const distanceMax = 1.95 * Math.sqrt((a.length + b.length) / (a.length * b.length));
  return { distance, distanceMax, medianGap: median(b) - median(a) };
}

function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
