/** Remembers how to close what was opened. */
export interface Closers {
  /** Registers a step; steps run one after the other, the last registered first. */
  add(close: () => unknown): void;
  /** Runs every step once, also where one of them fails, and then rejects with the first failure. */
  closeAll(): Promise<void>;
}

/** An empty list of closing steps. */
export function createClosers(): Closers {
  const steps: (() => unknown)[] = [];
  return {
    add: (close) => void steps.push(close),
    async closeAll() {
      const failures: unknown[] = [];
      for (const close of steps.splice(0).toReversed()) {
        try {
          await close();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
