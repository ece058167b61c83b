import type { Redis } from 'ioredis';
import type { Clock } from '../../core/clock.ts';
import type { ChangeFeed, ChangeListener } from '../../tokens/change-feed.ts';
import type { MessageCodec } from './change-message.ts';
import { backoffMs, closeClient } from './connection.ts';
import type { HealthGate } from './health-gate.ts';

/** Why a message says nothing to us. Either way it counts as a gap. */
export type Ignored = 'foreign' | 'unreadable';

/** What the feed needs. */
export interface RedisChangeFeedDeps {
  /** Carries the heartbeats out: on another connection than they come back on. */
  readonly gate: HealthGate;
  readonly codec: MessageCodec;
  /** A new, unconnected client that ends at its first failure; `attempt` counts from 0. */
  readonly openSubscriber: (attempt: number) => Redis;
  /** This process's name on the channel, unlike every other's: at most 64 of A–Z a–z 0–9 _ -. */
  readonly sender: string;
  readonly clock: Clock;
  readonly random: () => number;
  /**
   * So many messages were not understood since the last call. Called for the first and then at most every 10 s for
   * each kind: anyone may be publishing.
   */
  readonly ignored: (why: Ignored, count: number) => void;
  /** Called where this user may not subscribe, once until it may: nothing else tells. */
  readonly forbidden: (error: Error) => void;
  /** Called once per change: false from the loss of the subscription until it stands again. */
  readonly subscribed: (up: boolean) => void;
}

const beatEveryMs = 1_000;

/**
 * A beat that took longer is not counted. It proves that nothing sent before it left is missing, and is
 * taken as proof up to its arrival: the difference must stay small against the 5 s that are promised.
 */
const roundTripMostMs = 500;

/** Beats sent and not heard before the subscription counts as dead: what a cut cable looks like. */
const beatsMissedMost = 3;

const ignoredEveryMs = 10_000;

/** Longest wait for the first heartbeat when starting, milliseconds. */
const firstBeatMs = 1_000;

/**
 * Hears changes over one pub/sub channel per realm. Pub/sub forgets whoever is not connected, so the feed
 * counts as heard only while its own heartbeats come back, and every subscription begins with a gap.
 */
export class RedisChangeFeed implements ChangeFeed {
  readonly name = 'redis';
  readonly #deps: RedisChangeFeedDeps;
  #listener: ChangeListener | null = null;
  #client: Redis | null = null;
  #subscribed = false;
  #isForbiddenTold = false;
  #attempts = 0;
  #retries = 0;
  #timer: NodeJS.Timeout | null = null;
  #sequence = 0;
  #sentAt: number | null = null;
  #missed = 0;
  readonly #ignored: Record<Ignored, { count: number; toldAt: number }> = {
    foreign: { count: 0, toldAt: Number.NEGATIVE_INFINITY },
    unreadable: { count: 0, toldAt: Number.NEGATIVE_INFINITY },
  };
  #firstState: () => void = () => undefined;

  constructor(deps: RedisChangeFeedDeps) {
    this.#deps = deps;
  }

  /** Subscribes, and keeps doing so until `stop`. Resolves at the first heartbeat, the first failure, or after 1 s. */
  async start(listener: ChangeListener): Promise<void> {
    this.#listener = listener;
    const firstState = new Promise<void>((resolve) => {
      this.#firstState = resolve;
    });
    const timer = setTimeout(this.#firstState, firstBeatMs);
    void this.#subscribe();
    await firstState;
    clearTimeout(timer);
  }

  /** Ends the subscription; the listener hears nothing afterwards. */
  async stop(): Promise<void> {
    this.#listener = null;
    this.#cancelTimer();
    const client = this.#client;
    this.#client = null;
    if (client !== null) {
      await closeClient(client);
    }
  }

  async #subscribe(): Promise<void> {
    this.#cancelTimer();
    const client = this.#deps.openSubscriber(this.#attempts++);
    this.#client = client;
    client.on('error', () => undefined); // told by 'end', and by the gate's own connection
    client.once('end', () => this.#lost(client));
    client.on('message', (_channel: string, text: string) => this.#message(client, text));
    try {
      await client.connect();
      await client.subscribe(this.#deps.codec.channel);
    } catch (error) {
      this.#tellIfForbidden(error);
      client.disconnect();
      this.#lost(client);
      return;
    }
    if (this.#client === client) {
      this.#stands();
    }
  }

  #tellIfForbidden(error: unknown): void {
    if (this.#isForbiddenTold || !(error instanceof Error && error.message.startsWith('NOPERM'))) return;
    this.#isForbiddenTold = true;
    this.#deps.forbidden(error);
  }

  #stands(): void {
    this.#subscribed = true;
    this.#isForbiddenTold = false;
    this.#missed = 0;
    this.#sentAt = null;
    this.#deps.subscribed(true);
    this.#listener?.gap();
    this.#beat();
  }

  /** The caches stay: what was heard counts for its few seconds, and the next subscription begins with a gap. */
  #lost(client: Redis): void {
    if (this.#client !== client) {
      return;
    }
    this.#client = null;
    this.#cancelTimer();
    if (this.#subscribed) {
      this.#subscribed = false;
      this.#deps.subscribed(false);
    }
    this.#firstState();
    if (this.#listener !== null) {
      this.#timer = setTimeout(
        () => void this.#subscribe(),
        backoffMs(++this.#retries, this.#deps.random),
      ).unref();
    }
  }

  #message(client: Redis, text: string): void {
    const listener = this.#listener;
    if (listener === null || this.#client !== client) {
      return;
    }
    const received = this.#deps.codec.decode(text);
    if (received.kind === 'changes') {
      listener.changed(received.changes);
    } else if (received.kind === 'beat') {
      this.#beatHeard(listener, received.sender, received.sequence);
    } else {
      // It may have been a change, signed with a pepper this process does not have yet or in a newer form.
      listener.gap();
      this.#count(received.kind);
    }
  }

  #count(why: Ignored): void {
    const tally = this.#ignored[why];
    tally.count += 1;
    const now = this.#deps.clock.monotonic();
    if (now - tally.toldAt >= ignoredEveryMs) {
      this.#deps.ignored(why, tally.count);
      tally.count = 0;
      tally.toldAt = now;
    }
  }

  #beatHeard(listener: ChangeListener, sender: string, sequence: number): void {
    if (sender !== this.#deps.sender || sequence !== this.#sequence || this.#sentAt === null) {
      return;
    }
    const tookMs = this.#deps.clock.monotonic() - this.#sentAt;
    this.#sentAt = null;
    this.#missed = 0;
    this.#retries = 0;
    if (tookMs <= roundTripMostMs) {
      listener.heard();
    }
    this.#firstState();
  }

  #beat(): void {
    this.#timer = setTimeout(() => this.#beat(), beatEveryMs).unref();
    const { gate, codec, sender, clock } = this.#deps;
    if (!gate.open) {
      this.#sentAt = null; // no beat goes out, so none can be missed
      return;
    }
    if (this.#sentAt !== null && ++this.#missed >= beatsMissedMost) {
      this.#client?.disconnect(); // goes on in #lost
      return;
    }
    this.#sequence += 1;
    this.#sentAt = clock.monotonic();
    const sequence = this.#sequence;
    const text = codec.encode({ kind: 'beat', sender, sequence });
    void gate
      .attempt<unknown>((client) => client.publish(codec.channel, text), null)
      .then((answer) => {
        // What was not sent cannot come back: it says nothing about the subscription.
        if (answer === null && sequence === this.#sequence) {
          this.#sentAt = null;
        }
      });
  }

  #cancelTimer(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
    this.#timer = null;
  }
}
