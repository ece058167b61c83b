import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Change } from '../../src/core/change.ts';
import type { TokenId } from '../../src/core/ids.ts';
import type { ChangeFeed } from '../../src/tokens/change-feed.ts';
import { eventually } from '../support/eventually.ts';
import { recordingListener } from '../support/redis-parts.ts';
import type { Requirement } from '../support/requirement.ts';

/** What the contract needs of an implementation. */
export interface ChangeFeedSubject {
  /** A feed as one more process would open it. */
  openFeed(): Promise<ChangeFeed>;
  /** Makes one token change and resolves to it as feeds should tell it, or to another of the same kind. */
  makeChange(): Promise<Change>;
  stop(): Promise<void>;
}

/** What every ChangeFeed keeps to while its channel is there; run against each implementation. */
export function changeFeedContract(
  name: string,
  requirement: Requirement,
  open: () => Promise<ChangeFeedSubject>,
): void {
  describe(`ChangeFeed: ${name}`, requirement, () => {
    let subject: ChangeFeedSubject;
    before(async () => {
      subject = await open();
    });
    after(() => subject.stop());

    test('once started it has been heard', async () => {
      const feed = await subject.openFeed();
      const listener = recordingListener();
      await feed.start(listener);
      assert.ok(listener.calls.includes('heard'));
      await feed.stop();
    });

    test('it is heard again and again without any change', async () => {
      const feed = await subject.openFeed();
      const listener = recordingListener();
      await feed.start(listener);
      const heard = (): number => listener.calls.filter((call) => call === 'heard').length;
      const atFirst = heard();
      await eventually('two more signs of life', () => heard() >= atFirst + 2);
      await feed.stop();
    });

    test('a change reaches every feed, whole', async () => {
      const feeds = await Promise.all([subject.openFeed(), subject.openFeed()]);
      const listeners = [recordingListener(), recordingListener()];
      await Promise.all(feeds.map((feed, at) => feed.start(listeners[at] ?? recordingListener())));
      const told = listeners.map((listener) => listener.changes.length);
      const change = await subject.makeChange();
      for (const [at, listener] of listeners.entries()) {
        await eventually('the change', () => listener.changes.length > (told[at] ?? 0));
        assert.deepEqual(listener.changes.at(-1), change);
      }
      await Promise.all(feeds.map((feed) => feed.stop()));
    });

    test('many changes arrive in the order of their making, and before it counts as heard after them', async () => {
      const feed = await subject.openFeed();
      const listener = recordingListener();
      await feed.start(listener);
      const before = listener.changes.length;
      const made: Change[] = [];
      for (let count = 0; count < 20; count += 1) made.push(await subject.makeChange());
      const callsWhenMade = listener.calls.length;
      await eventually(
        'a sign of life after the changes',
        () => listener.calls.slice(callsWhenMade).includes('heard') && listener.changes.length >= before + 20,
      );
      assert.deepEqual(listener.changes.slice(before), made);
      await feed.stop();
    });

    test('after stop it is silent', async () => {
      const [stopped, other] = [await subject.openFeed(), await subject.openFeed()];
      const [silent, listening] = [recordingListener(), recordingListener()];
      await stopped.start(silent);
      await other.start(listening);
      await stopped.stop();
      const [calls, told] = [silent.calls.length, listening.changes.length];
      await subject.makeChange();
      await eventually('the other feed to tell the change', () => listening.changes.length > told);
      assert.equal(silent.calls.length, calls);
      await other.stop();
    });
  });
}

/** A change of a token that exists nowhere. */
export function someChange(version = 2): Change {
  return { kind: 'token', tokenId: randomUUID() as TokenId, version };
}
