import type { Change } from '../../src/core/change.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Realm, TokenId } from '../../src/core/ids.ts';
import type { SharedCache } from '../../src/tokens/shared-cache.ts';
import { createFreshness } from '../../src/tokens/freshness.ts';
import type { Freshness } from '../../src/tokens/freshness.ts';
import type { ChangeListener } from '../../src/tokens/change-feed.ts';
import type { Peppers } from '../../src/tokens/digest.ts';
import type { OwnedToken } from '../../src/tokens/token-store.ts';
import type { Verification, Verifier } from '../../src/tokens/verification.ts';
import { createVerifier } from '../../src/tokens/verify.ts';

/** When something does not work, milliseconds of simulated time. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/** What goes wrong in one run; each null where it does not. */
export interface Trouble {
  /** For the first gateway alone: it is stopped, its journal says nothing, its Redis channel is cut. */
  readonly paused: Outage | null;
  readonly journalSilent: Outage | null;
  readonly channelCut: Outage | null;
  /** For all: Redis answers nothing; half of what it is told is carried out when it is back. */
  readonly redisPaused: Outage | null;
  /** The first gateway is started anew. */
  readonly restartAt: number | null;
  /** The first gateway alone has a wall clock that is wrong, by so much. */
  readonly clockWrong: (Outage & { readonly byMs: number }) | null;
  /** The wall clock of the machine is set, by so much. */
  readonly clockSet: { readonly at: number; readonly byMs: number } | null;
}

/** A few gateways, one store and one Redis in simulated time, with the delays that machines have. */
export interface Simulation {
  /** Runs `work` at that time, as the gateway's own work where one is given. */
  at(ms: number, gateway: number | null, work: () => void): void;
  /** Asks that gateway for the token; to be called in its own work. */
  verify(gateway: number): Promise<Verification>;
  /** Changes the token in the store, announces it, and deletes it from Redis. */
  change(edit: (owned: OwnedToken) => OwnedToken): void;
  /** A token that nobody asks for is changed. */
  changeAnother(): void;
  /** Simulated time, milliseconds. */
  now(): number;
  /** Runs everything until nothing is left to do. */
  run(): Promise<void>;
}

interface Gateway {
  readonly clock: Clock;
  freshness: Freshness;
  verifier: Verifier;
  journal: ChangeListener;
  channel: ChangeListener;
  position: number;
  polledAt: number;
  beatAt: number;
  isCut: boolean;
}

interface Work {
  readonly at: number;
  readonly order: number;
  readonly gateway: number | null;
  run(): void;
}

const pollMs = 50;
const beatMs = 1_000;
const replayedMs = 15 * 60_000;
const wallStart = Date.UTC(2026, 0, 1);

/** Sets the stage; `random` decides every delay. */
export function simulateGateways(deps: {
  readonly random: () => number;
  readonly trouble: Trouble;
  readonly peppers: Peppers;
  readonly secret: string;
  readonly owned: OwnedToken;
}): Simulation {
  const { random, trouble, peppers, secret } = deps;
  let { owned } = deps;
  let now = 0;
  let orders = 0;
  let work: Work[] = [];
  const journal: { readonly at: number; readonly wall: number; readonly change: Change }[] = [];
  const redis = new Map<string, { readonly value: string; readonly until: number }>();

  const during = (outage: Outage | null, ms = now): boolean =>
    outage !== null && ms >= outage.from && ms < outage.to;
  const wall = (): number => {
    const set = trouble.clockSet;
    return wallStart + now + (set !== null && now >= set.at ? set.byMs : 0);
  };
  const at = (ms: number, gateway: number | null, run: () => void): void => {
    work.push({ at: Math.max(ms, now), order: orders++, gateway, run });
  };
  /** Mostly quick, now and then slow. */
  const delayMs = (): number => (random() < 0.9 ? random() * 20 : random() * 800);

  const sharedOf = (gateway: number): SharedCache => ({
    get: (key) =>
      new Promise((resolve) => {
        if (during(trouble.redisPaused)) {
          at(now + 100, gateway, () => resolve(null));
          return;
        }
        at(now + random() * 20, null, () => {
          const entry = redis.get(key);
          const value = entry !== undefined && entry.until > wall() ? entry.value : null;
          at(now + random() * 20, gateway, () => resolve(value));
        });
      }),
    set(key, value, ttlMs) {
      const paused = during(trouble.redisPaused) ? trouble.redisPaused : null;
      const lateMs = random() < 0.8 ? random() * 20 : random() * 20_000;
      const when = paused === null ? now + lateMs : random() < 0.5 ? paused.to : null;
      if (when !== null) at(when, null, () => void redis.set(key, { value, until: wall() + ttlMs }));
      return Promise.resolve();
    },
    delete(keys) {
      const isPaused = during(trouble.redisPaused);
      if (!isPaused) at(now + random() * 20, null, () => keys.forEach((key) => redis.delete(key)));
      return Promise.resolve(!isPaused);
    },
  });

  const storeOf = (gateway: number) => ({
    realm: 'simulated' as Realm,
    findByDigests: () =>
      new Promise<OwnedToken | null>((resolve) => {
        at(now + delayMs(), null, () => {
          const snapshot = owned;
          at(now + delayMs(), gateway, () => resolve(snapshot));
        });
      }),
  });

  function start(gateway: number, skewMs: number): Gateway {
    const wrongMs = (): number =>
      gateway === 0 && during(trouble.clockWrong) ? (trouble.clockWrong?.byMs ?? 0) : 0;
    const clock: Clock = { now: () => wall() + skewMs + wrongMs(), monotonic: () => now + 10_000 };
    const freshness = createFreshness({ clock });
    const verifier = createVerifier({
      ...{ clock, freshness, peppers },
      store: storeOf(gateway),
      shared: sharedOf(gateway),
      lastUse: { note: () => undefined, redigest: () => undefined },
      passwords: { verify: () => ({ kind: 'refused', reason: 'wrong_password', tier: 'none' }) },
    });
    const recent = journal.findIndex((entry) => entry.wall >= clock.now() - replayedMs);
    return {
      ...{ clock, freshness, verifier },
      journal: freshness.listener({ replaysRecent: true }),
      channel: freshness.listener({ replaysRecent: false }),
      position: recent < 0 ? journal.length : recent,
      ...{ polledAt: Number.NEGATIVE_INFINITY, beatAt: Number.NEGATIVE_INFINITY, isCut: true },
    };
  }
  const gateways = [0, 1, 2].map((gateway) => start(gateway, (random() - 0.5) * 60_000));

  /** What the gateway's timers have done since it last did anything: the last of each is all that counts. */
  function catchUp(index: number): void {
    const gateway = gateways[index];
    if (gateway === undefined) return;
    const present = now;
    const troubled = (outage: Outage | null): boolean => index === 0 && during(outage);
    now = Math.floor(present / beatMs) * beatMs;
    if (troubled(trouble.channelCut)) gateway.isCut = true;
    if (
      now > gateway.beatAt &&
      !troubled(trouble.paused) &&
      !troubled(trouble.channelCut) &&
      !during(trouble.redisPaused)
    ) {
      gateway.beatAt = now;
      if (gateway.isCut) gateway.channel.gap();
      gateway.isCut = false;
      gateway.channel.heard();
    }
    now = Math.floor(present / pollMs) * pollMs;
    if (now > gateway.polledAt && !troubled(trouble.paused) && !troubled(trouble.journalSilent)) {
      gateway.polledAt = now;
      const news = journal.slice(gateway.position).filter((entry) => entry.at <= now);
      gateway.position += news.length;
      if (news.length > 0) gateway.journal.changed(news.map((entry) => entry.change));
      gateway.journal.heard();
    }
    now = present;
  }

  function announce(change: Change): void {
    for (const index of gateways.keys()) {
      const cut = index === 0 ? trouble.channelCut : null;
      const [sentAt, paused] = [now, trouble.redisPaused];
      at(during(paused) ? (paused?.to ?? 0) : now + random() * 20, index, () => {
        if (!during(cut, sentAt) && !during(cut)) gateways[index]?.channel.changed([change]);
      });
    }
  }

  function tell(change: Change): void {
    journal.push({ at: now, wall: wall(), change });
    announce(change);
  }

  if (trouble.restartAt !== null) {
    at(trouble.restartAt, null, () => void (gateways[0] = start(0, (random() - 0.5) * 60_000)));
  }

  return {
    at,
    now: () => now,
    verify: async (gateway) =>
      gateways[gateway]?.verifier.verify(
        { channel: 'bearer', secret },
        { clientAddress: '192.0.2.1', client: null, mainPassword: false },
      ) ?? Promise.reject(new Error('no such gateway')),
    change(edit) {
      owned = edit(owned);
      tell({ kind: 'token', tokenId: owned.token.id, version: owned.token.version });
      if (!during(trouble.redisPaused)) at(now + random() * 20, null, () => redis.clear());
    },
    changeAnother: () => tell({ kind: 'token', tokenId: `another ${orders}` as TokenId, version: 2 }),
    async run() {
      for (;;) {
        work.sort((a, b) => a.at - b.at || a.order - b.order);
        const next = work[0];
        if (next === undefined) return;
        work = work.slice(1);
        now = next.at;
        if (next.gateway === 0 && during(trouble.paused)) {
          work.push({ ...next, at: trouble.paused?.to ?? now });
          continue;
        }
        if (next.gateway !== null) catchUp(next.gateway);
        next.run();
        // Whatever was resolved goes on before time does.
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    },
  };
}
