import type { Clock } from '../../src/core/clock.ts';

/** A clock that stands still until a test moves it. */
export interface SteppedClock extends Clock {
  /** Lets time pass on both clocks. */
  advance(ms: number): void;
  /** Sets the wall clock alone, as an administrator or NTP would. */
  stepWall(ms: number): void;
}

/** Starts at 2026-01-01T00:00:00Z. */
export function steppedClock(): SteppedClock {
  let wall = Date.UTC(2026, 0, 1);
  let monotonic = 1_000;
  return {
    now: () => wall,
    monotonic: () => monotonic,
    advance(ms) {
      wall += ms;
      monotonic += ms;
    },
    stepWall(ms) {
      wall += ms;
    },
  };
}
