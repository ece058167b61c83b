/**
 * The two clocks of the product, injected everywhere so that tests can step them.
 */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. May step either way. */
  now(): number;
  /** Monotonic clock, milliseconds from an arbitrary start. Never goes back. */
  monotonic(): number;
}

/** One moment on both clocks. */
export interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

/** Reads both clocks, once for all that is judged at one moment. */
export function readClocks(clock: Clock): Moment {
  return { wall: clock.now(), monotonic: clock.monotonic() };
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
