import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { FailureTotal, SharedFailures } from '../../src/tokens/shared-failures.ts';
import type { Requirement } from '../support/requirement.ts';

/** What the contract needs of an implementation. */
export interface SharedFailuresSubject {
  /** Two views of the same counts, as two gateways have them, counting for `windowMs`. */
  readonly ours: SharedFailures;
  readonly theirs: SharedFailures;
  readonly windowMs: number;
  /** Lets the time of counting pass, as far as the counts can tell. */
  letWindowPass(): Promise<void>;
  stop(): Promise<void>;
}

/** What every SharedFailures keeps to while it is there; run against each implementation. */
export function sharedFailuresContract(
  kind: string,
  requirement: Requirement,
  open: () => Promise<SharedFailuresSubject>,
): void {
  describe(`SharedFailures: ${kind}`, requirement, () => {
    let subject: SharedFailuresSubject;
    before(async () => {
      subject = await open();
    });
    after(() => subject.stop());

    const add = async (failures: SharedFailures, name: string, guess: string): Promise<FailureTotal> => {
      const total = await failures.add(name, guess);
      assert.notEqual(total, null);
      return total as FailureTotal;
    };

    test('different guesses are counted together, whichever gateway saw them', async () => {
      const name = randomUUID();
      assert.equal((await add(subject.ours, name, 'a')).count, 1);
      assert.equal((await add(subject.theirs, name, 'b')).count, 2);
      assert.equal((await add(subject.ours, name, 'c')).count, 3);
    });

    test('the same guess counts once, also where another gateway repeats it', async () => {
      const name = randomUUID();
      await add(subject.ours, name, 'a');
      assert.equal((await add(subject.ours, name, 'a')).count, 1);
      assert.equal((await add(subject.theirs, name, 'a')).count, 1);
    });

    test('names are counted apart', async () => {
      await add(subject.ours, 'one name', 'a');
      assert.equal((await add(subject.ours, randomUUID(), 'a')).count, 1);
    });

    test('guesses of many gateways at once are all counted', async () => {
      const name = randomUUID();
      const guesses = Array.from({ length: 40 }, (_, at) => `guess ${at}`);
      await Promise.all(
        guesses.map((guess, at) => add(at % 2 === 0 ? subject.ours : subject.theirs, name, guess)),
      );
      assert.equal((await add(subject.ours, name, guesses[0] as string)).count, guesses.length);
    });

    test('says how long the count lasts, and counts anew after that', async () => {
      const name = randomUUID();
      const { endsInMs } = await add(subject.ours, name, 'a');
      assert.ok(endsInMs > 0 && endsInMs <= subject.windowMs, `${endsInMs} ms`);
      await subject.letWindowPass();
      assert.equal((await add(subject.ours, name, 'a')).count, 1);
      assert.equal((await add(subject.ours, name, 'b')).count, 2);
    });
  });
}
