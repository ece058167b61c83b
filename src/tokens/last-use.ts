import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import type { PepperId, TokenDigest, TokenId } from '../core/ids.ts';
import type { TokenStore, TokenUse } from './token-store.ts';

/** One token's last use is written at most once in this time. */
const writeEveryMs = 60_000;
const flushEveryMs = 5_000;
/** A use this close to the token's end is written at once: later it could not be extended any more. */
const urgentBeforeMs = 30_000;
const urgentEveryMs = 10_000;
const batchMax = 500;
const clientCharsMax = 200;
/** Digests waiting to be replaced; what does not fit comes again with the next use. */
const redigestsMax = 10_000;

/** A digest to be replaced by one under the current pepper. */
export interface Redigest {
  readonly tokenId: TokenId;
  readonly from: TokenDigest;
  readonly to: TokenDigest;
  readonly pepperId: PepperId;
}

/** Writes uses behind the requests; nothing here delays or fails one. */
export interface LastUse {
  /** Notes a use; cheap and without a promise. `endsAt`: when the token ends unless this use is written; null never. */
  note(tokenId: TokenId, at: number, address: string, client: string | null, endsAt: number | null): void;
  redigest(order: Redigest): void;
  /** Starts flushing every 5 s. */
  start(): void;
  /** Stops the timer and writes everything that is noted. Never rejects. */
  drain(): Promise<void>;
  /** Writes what is due now; for tests and for urgent uses. Never rejects. */
  flush(): Promise<void>;
}

interface LastUseDeps {
  readonly clock: Clock;
  readonly store: Pick<TokenStore, 'recordUses' | 'redigest'>;
  /** Told of writes that failed; they are tried again. */
  readonly onFault: (error: unknown) => void;
}

interface Noted {
  at: number;
  address: string;
  client: string | null;
}

/** The write-behind of one process. */
export function createLastUse({ clock, store, onFault }: LastUseDeps): LastUse {
  const noted = new Map<TokenId, Noted>();
  /** Monotonic moment of each token's last write, oldest first; kept for `writeEveryMs`. */
  const written = new Map<TokenId, number>();
  let redigests = new Map<TokenId, Redigest>();
  let timer: NodeJS.Timeout | null = null;
  let urgent: NodeJS.Immediate | null = null;
  let running: Promise<void> = Promise.resolve();

  function takeDue(everything: boolean): TokenUse[] {
    const now = clock.monotonic();
    for (const [tokenId, at] of written) {
      if (now - at < writeEveryMs) break;
      written.delete(tokenId);
    }
    const due: TokenUse[] = [];
    for (const [tokenId, use] of noted) {
      if (!everything && written.has(tokenId)) continue;
      noted.delete(tokenId);
      written.delete(tokenId);
      written.set(tokenId, now);
      due.push({ tokenId, at: use.at, address: use.address, client: use.client });
    }
    return due;
  }

  /** What could not be written is noted again, unless a newer use is. */
  function putBack(uses: readonly TokenUse[]): void {
    for (const { tokenId, at, address, client } of uses) {
      written.delete(tokenId);
      if (!noted.has(tokenId)) noted.set(tokenId, { at, address, client });
    }
  }

  async function write(everything: boolean): Promise<void> {
    const due = takeDue(everything);
    for (let start = 0; start < due.length; start += batchMax) {
      try {
        await store.recordUses(due.slice(start, start + batchMax), clock.now());
      } catch (error) {
        onFault(error);
        return putBack(due.slice(start));
      }
      // Each batch blocks while it is written: requests get their turn in between.
      await nextTurn();
    }
    const orders = redigests;
    redigests = new Map();
    for (const { tokenId, from, to, pepperId } of orders.values()) {
      try {
        await store.redigest(tokenId, from, to, pepperId);
      } catch (error) {
        // The next use of the token orders it again.
        return onFault(error);
      }
    }
  }

  function flush(everything: boolean): Promise<void> {
    running = running.then(() => write(everything));
    return running;
  }

  function hurry(tokenId: TokenId): void {
    // The end we were told may be older than our last write.
    if (clock.monotonic() - (written.get(tokenId) ?? Number.NEGATIVE_INFINITY) < urgentEveryMs) return;
    written.delete(tokenId);
    urgent ??= setImmediate(() => {
      urgent = null;
      void flush(false);
    });
  }

  return {
    note(tokenId, at, address, client, endsAt) {
      const use = noted.get(tokenId);
      const shortClient =
        client !== null && client.length > clientCharsMax ? client.slice(0, clientCharsMax) : client;
      if (use === undefined) noted.set(tokenId, { at, address, client: ownCopy(shortClient) });
      else {
        use.at = at;
        use.address = address;
        if (use.client !== shortClient) use.client = ownCopy(shortClient);
      }
      if (endsAt !== null && endsAt - at < urgentBeforeMs) hurry(tokenId);
    },
    redigest(order) {
      if (redigests.size < redigestsMax) redigests.set(order.tokenId, order);
    },
    start() {
      timer ??= setInterval(() => void flush(false), flushEveryMs).unref();
    },
    async drain() {
      if (timer !== null) clearInterval(timer);
      if (urgent !== null) clearImmediate(urgent);
      timer = null;
      urgent = null;
      await flush(true);
    },
    flush: () => flush(false),
  };
}

/** A text cut out of a request head keeps all of that head in memory, its secret included. */
function ownCopy(text: string | null): string | null {
  return text === null ? null : Buffer.from(text, 'latin1').toString('latin1');
}
