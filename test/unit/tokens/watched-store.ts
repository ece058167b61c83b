import { setImmediate as turn } from 'node:timers/promises';
import type { TokenStore } from '../../../src/tokens/token-store.ts';
import { makeScratch } from '../../support/scratch.ts';
import { type SteppedClock, steppedClock } from '../../support/stepped-clock.ts';
import { openTokenWorld, type TokenWorld, type WorldOptions } from '../../support/token-world.ts';

type Find = TokenStore['findByDigests'];

/** Processes on one store file, whose look-ups a test counts, fails or holds back. */
export interface WatchedStore {
  readonly clock: SteppedClock;
  /** Look-ups so far, of all processes. */
  readonly lookUps: () => number;
  open(options?: Partial<WorldOptions>): Promise<TokenWorld>;
  /** Look-ups fail with this from now on; null: work again. */
  failWith(error: Error | null): void;
  /** Holds look-ups back after the store has answered, until let go. */
  holdAnswers(): HeldAnswers;
  close(): Promise<void>;
}

/** Look-ups that wait. */
export interface HeldAnswers {
  /** Resolves once this many wait. */
  readonly untilHeld: (count: number) => Promise<void>;
  /** New look-ups are no longer held; those that wait go on waiting. */
  readonly holdNoMore: () => void;
  readonly letGo: () => void;
}

/** A store file of one test's own. */
export async function watchStore(): Promise<WatchedStore> {
  const scratch = await makeScratch('watched-store');
  const clock = steppedClock();
  const opened: TokenWorld[] = [];
  const untouched = (real: Find): Find => real;
  let lookUps = 0;
  let interfere = untouched;

  const wrapStore = (store: TokenStore): TokenStore => ({
    ...store,
    findByDigests(digests) {
      lookUps++;
      return interfere((wanted) => store.findByDigests(wanted))(digests);
    },
  });

  return {
    clock,
    lookUps: () => lookUps,
    async open(options = {}) {
      const world = await openTokenWorld({ path: scratch.file('latchkey.db'), clock, wrapStore, ...options });
      opened.push(world);
      return world;
    },
    failWith(error) {
      interfere = error === null ? untouched : () => () => Promise.reject(error);
    },
    holdAnswers() {
      const gate = Promise.withResolvers<void>();
      let held = 0;
      interfere = (real) => async (digests) => {
        const found = await real(digests);
        held++;
        await gate.promise;
        return found;
      };
      const holdNoMore = (): void => void (interfere = untouched);
      return {
        async untilHeld(count) {
          const isHeld = (): boolean => held >= count;
          while (!isHeld()) await turn();
        },
        holdNoMore,
        letGo() {
          holdNoMore();
          gate.resolve();
        },
      };
    },
    async close() {
      for (const { database } of opened) database.close();
      await scratch.remove();
    },
  };
}
