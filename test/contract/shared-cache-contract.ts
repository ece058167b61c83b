import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { SharedCache } from '../../src/tokens/shared-cache.ts';
import { eventually } from '../support/eventually.ts';
import type { Requirement } from '../support/requirement.ts';

/** What the contract needs of an implementation. */
export interface SharedCacheSubject {
  /** Two views of one cache, as two gateways have them. */
  readonly ours: SharedCache;
  readonly theirs: SharedCache;
  stop(): Promise<void>;
}

/** What every SharedCache keeps to while it is there; run against each implementation. */
export function sharedCacheContract(
  name: string,
  requirement: Requirement,
  open: () => Promise<SharedCacheSubject>,
): void {
  describe(`SharedCache: ${name}`, requirement, () => {
    let subject: SharedCacheSubject;
    before(async () => {
      subject = await open();
    });
    after(() => subject.stop());

    test('what was never set is a miss', async () => {
      assert.equal(await subject.ours.get(randomUUID()), null);
    });

    test('a value set by one gateway is read by another, byte for byte', async () => {
      const key = `1:realm|${randomUUID()}`;
      const value = JSON.stringify({ name: 'Zoë 🗝', quote: '"\r\n\u0000' });
      await subject.ours.set(key, value, 10_000);
      assert.equal(await subject.theirs.get(key), value);
    });

    test('an empty value is a value', async () => {
      const key = randomUUID();
      await subject.ours.set(key, '', 10_000);
      assert.equal(await subject.theirs.get(key), '');
    });

    test('the last value set counts', async () => {
      const key = randomUUID();
      await subject.ours.set(key, 'first', 10_000);
      await subject.theirs.set(key, 'second', 10_000);
      assert.equal(await subject.ours.get(key), 'second');
    });

    test('a value is gone when its time is over', async () => {
      const key = randomUUID();
      await subject.ours.set(key, 'short', 40);
      await eventually('the value to expire', async () => (await subject.theirs.get(key)) === null);
    });

    test('setting a value again gives it a new time', async () => {
      const [first, again] = [randomUUID(), randomUUID()];
      await subject.ours.set(again, 'short', 40);
      await subject.ours.set(again, 'long', 60_000);
      await subject.ours.set(first, 'short', 40);
      await eventually('the first to expire', async () => (await subject.ours.get(first)) === null);
      assert.equal(await subject.ours.get(again), 'long');
    });

    test('a time below one millisecond keeps nothing', async () => {
      const key = randomUUID();
      await subject.ours.set(key, 'x', 0);
      await subject.ours.set(key, 'x', -5);
      await subject.ours.set(key, 'x', 0.9);
      assert.equal(await subject.ours.get(key), null);
    });

    test('a fraction of a millisecond is no obstacle', async () => {
      const key = randomUUID();
      await subject.ours.set(key, 'x', 9_999.5);
      assert.equal(await subject.ours.get(key), 'x');
    });

    test('several keys are deleted at once, for every gateway, and that is confirmed', async () => {
      const keys = [randomUUID(), randomUUID(), randomUUID()];
      for (const key of keys) await subject.ours.set(key, 'x', 10_000);
      assert.equal(await subject.ours.delete(keys), true);
      for (const key of keys) assert.equal(await subject.theirs.get(key), null);
    });

    test('deleting what is not there is confirmed too', async () => {
      assert.equal(await subject.ours.delete([randomUUID()]), true);
      assert.equal(await subject.ours.delete([]), true);
    });
  });
}
