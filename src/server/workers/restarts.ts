import type { Clock } from '../../core/clock.ts';

/** A worker that served this long before it died has nothing to do with earlier deaths. */
const quietMs = 60_000;
const delayMsMax = 30_000;

/** When the worker of a slot that died is replaced. */
export interface Restarts {
  /** Its worker serves from now on. */
  ready(): void;
  /** Its worker died. Milliseconds to wait before the next: none at first, then a second, twice as long each time, 30 s at most. */
  died(): number;
  /** Deaths in a row. */
  readonly deaths: number;
}

/** Counts for one slot. */
export function createRestarts(clock: Pick<Clock, 'monotonic'>): Restarts {
  let deaths = 0;
  let readyAt: number | null = null;
  return {
    ready() {
      readyAt = clock.monotonic();
    },
    died() {
      if (readyAt !== null && clock.monotonic() - readyAt >= quietMs) deaths = 0;
      readyAt = null;
      deaths++;
      return deaths === 1 ? 0 : Math.min(delayMsMax, 1_000 * 2 ** (deaths - 2));
    },
    get deaths() {
      return deaths;
    },
  };
}
