import { setTimeout as delay } from 'node:timers/promises';
import type { Change } from '../../core/change.ts';
import type { ChangeAnnouncer } from '../../tokens/change-feed.ts';
import { changesMax, type MessageCodec } from './change-message.ts';
import type { HealthGate } from './health-gate.ts';

const repeatEveryMs = 100;
/** Later than this after a change nobody's caches hold what it ended. */
const repeatForMs = 5_000;
/** What is still to be repeated holds up an end no longer than this. */
const flushMsMax = 1_000;

/** Sends changes through Redis. */
export interface RedisAnnouncer extends ChangeAnnouncer {
  /** Resolves once nothing is left to be repeated, or after 1 s. */
  flush(): Promise<void>;
}

interface Unsent {
  readonly changes: readonly Change[];
  readonly until: number;
}

/**
 * Announcing resolves false where Redis did not take some of the changes at once. That part is sent again until it is
 * taken, for 5 s: one answer that came late must not keep a change from a process that hears of it through Redis alone.
 * Hearing of a change twice does no harm.
 */
export function redisAnnouncer(gate: HealthGate, codec: MessageCodec): RedisAnnouncer {
  const unsent = new Set<Unsent>();
  let repeating: Promise<void> | null = null;

  const publish = (changes: readonly Change[]): Promise<boolean> =>
    gate.attempt(async (client) => {
      const text = codec.encode({ kind: 'changes', changes });
      return (await client.publish(codec.channel, text)) >= 0;
    }, false);

  async function repeat(): Promise<void> {
    while (unsent.size > 0) {
      await delay(repeatEveryMs, undefined, { ref: false });
      for (const each of unsent) {
        if (performance.now() > each.until || (await publish(each.changes))) unsent.delete(each);
      }
    }
    repeating = null;
  }

  async function announceFew(changes: readonly Change[]): Promise<boolean> {
    if (await publish(changes)) return true;
    unsent.add({ changes, until: performance.now() + repeatForMs });
    repeating ??= repeat();
    return false;
  }

  return {
    async announce(changes) {
      const sends: Promise<boolean>[] = [];
      for (let from = 0; from < changes.length; from += changesMax)
        sends.push(announceFew(changes.slice(from, from + changesMax)));
      return (await Promise.all(sends)).every(Boolean);
    },
    async flush() {
      if (repeating === null) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, flushMsMax);
      await Promise.race([repeating, promise]);
      clearTimeout(timer);
    },
  };
}
