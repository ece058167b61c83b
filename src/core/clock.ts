/**
 * The two clocks of the product, injected everywhere so that tests can step them.
 */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. May step either way. */
  now(): number;
  /** Monotonic clock, milliseconds from an arbitrary start. Never goes back. */
  monotonic(): number;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
