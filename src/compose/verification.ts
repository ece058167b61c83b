import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { createPasswordDirectory } from '../identity/password-directory.ts';
import { createPasswords } from '../identity/passwords.ts';
import type { Log } from '../telemetry/log.ts';
import type { FeedHealth } from '../telemetry/metrics.ts';
import type { ChangeFeed } from '../tokens/change-feed.ts';
import { createFreshness, type Freshness } from '../tokens/freshness.ts';
import { createLastUse } from '../tokens/last-use.ts';
import { createGuesses, type Guesses } from '../tokens/guesses.ts';
import type { Verifier } from '../tokens/verification.ts';
import { createVerifier } from '../tokens/verify.ts';
import { createPasswordVerifier } from '../tokens/verify-password.ts';
import type { Closers } from './closers.ts';
import type { OpenedRedis } from './redis.ts';
import type { OpenedStore } from './store.ts';

/** Verification with everything behind it, hearing of changes. */
export interface OpenedVerification {
  readonly verifier: Verifier;
  readonly guesses: Guesses;
  readonly freshness: Freshness;
  /** How long ago each channel of changes was heard. */
  feedHealth(): readonly FeedHealth[];
}

/** Wires memory, Redis and store into one verifier, and starts listening for changes and writing uses. */
export async function openVerification(
  config: Config,
  store: OpenedStore,
  redis: OpenedRedis | null,
  clock: Clock,
  log: Log,
  closers: Closers,
): Promise<OpenedVerification> {
  const { tokens } = store;
  const peppers = await store.openPeppers();
  const shared = redis?.cache ?? null;
  const freshness = createFreshness({ clock });
  const lastUse = createLastUse({
    clock,
    store: tokens,
    onFault: (error) => log.warn({ error }, 'last uses could not be written; they are tried again'),
  });
  const check = createPasswordDirectory({
    store: store.users,
    passwords: createPasswords({
      concurrency: config.limits.passwordConcurrency,
      queueMax: config.limits.passwordQueue,
    }),
  });
  const { realm } = tokens;
  const {
    failuresPerAccount: perAccount,
    failuresPerClient: perClient,
    failureWindowMs: windowMs,
  } = config.limits;
  const guesses = createGuesses({
    clock,
    realm,
    peppers,
    shared: redis?.failures(windowMs) ?? null,
    limits: { perAccount, perClient, windowMs },
  });
  const passwords = createPasswordVerifier({ clock, realm, check, shared, peppers, freshness, guesses });
  const verifier = createVerifier({ clock, store: tokens, shared, peppers, freshness, lastUse, passwords });
  const journal = await startFeed(store.journal(), true, freshness, clock, closers);
  const channels =
    redis === null ? [journal] : [journal, await startFeed(redis.feed, false, freshness, clock, closers)];
  lastUse.start();
  closers.add(() => lastUse.drain());
  return { verifier, guesses, freshness, feedHealth: () => channels.map((health) => health()) };
}

/** Starts a feed into freshness; returns how it is doing. */
async function startFeed(
  feed: ChangeFeed,
  replaysRecent: boolean,
  freshness: Freshness,
  clock: Clock,
  closers: Closers,
): Promise<() => FeedHealth> {
  const listener = freshness.listener({ replaysRecent });
  let heardMs: number | null = null;
  closers.add(() => feed.stop());
  await feed.start({
    changed: (changes) => listener.changed(changes),
    gap: () => listener.gap(),
    heard: () => {
      heardMs = clock.monotonic();
      listener.heard();
    },
  });
  return () => ({ name: feed.name, heardAgeMs: heardMs === null ? null : clock.monotonic() - heardMs });
}
