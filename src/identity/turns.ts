import { Fault } from '../core/errors.ts';

/** Lets so much work run at a time, and so much wait; more is refused at once. */
export interface Turns {
  /** Runs the work when it is its turn. Rejects with `Fault('overloaded')` where too much waits already. */
  take<T>(work: () => Promise<T>): Promise<T>;
}

interface TurnLimits {
  /** At a time. */
  readonly concurrency: number;
  /** Waiting for their turn. */
  readonly queueMax: number;
  /** What waits, for the message. */
  readonly what: string;
}

/** See `Turns`. First come, first served. */
export function createTurns({ concurrency, queueMax, what }: TurnLimits): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async take(work) {
      if (running < concurrency) running++;
      else if (waiting.length < queueMax) await new Promise<void>((resolve) => waiting.push(resolve));
      else throw new Fault('overloaded', `${queueMax} ${what} are already waiting to be checked.`);
      try {
        return await work();
      } finally {
        // The place is handed on, not freed, so that nobody overtakes those who wait.
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
