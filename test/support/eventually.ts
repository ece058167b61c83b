import { setTimeout as delay } from 'node:timers/promises';

/** How long and how often {@link eventually} asks. */
export interface Patience {
  /** Default 5,000 ms. */
  readonly withinMs?: number;
  /** Default 20 ms. */
  readonly everyMs?: number;
}

/**
 * Asks `probe` until it answers something else than null, undefined or false, and returns that. For state of
 * another process that announces nothing. A probe that throws counts as "not yet".
 * @throws Error naming `what` and the last failure once the time is over.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  patience: Patience = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const { withinMs = 5_000, everyMs = 20 } = patience;
  const end = performance.now() + withinMs;
  for (;;) {
    let failure: unknown = 'the condition did not hold';
    try {
      const answer = await probe();
      if (answer !== null && answer !== undefined && answer !== false) {
        return answer as NonNullable<Exclude<T, false>>;
      }
    } catch (error) {
      failure = error;
    }
    if (performance.now() > end) throw new Error(`${what}: not within ${withinMs} ms`, { cause: failure });
    await delay(everyMs);
  }
}

/**
 * Settles as `promise` does.
 * @throws Error naming `what` where that takes longer than `ms`.
 */
export async function within<T>(what: string, ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what}: not within ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
