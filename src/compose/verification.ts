import { systemRandom } from '../core/random.ts';
import { createPasswordDirectory } from '../identity/password-directory.ts';
import type { FeedHealth } from '../telemetry/metrics.ts';
import type { ChangeFeed } from '../tokens/change-feed.ts';
import type { Announce } from '../tokens/announce.ts';
import { createFreshness, type Freshness } from '../tokens/freshness.ts';
import { createLastUse } from '../tokens/last-use.ts';
import { createGuesses, type Guesses } from '../tokens/guesses.ts';
import type { Verifier } from '../tokens/verification.ts';
import { createVerifier } from '../tokens/verify.ts';
import { createPasswordVerifier } from '../tokens/verify-password.ts';
import type { Ground } from './ground.ts';
import { openIdentities, type OpenedIdentities } from './identities.ts';
import { openLifecycle } from './lifecycle.ts';
import type { OpenedRedis } from './redis.ts';
import type { OpenedStore } from './store.ts';

/** Verification with everything behind it, hearing of changes. */
export interface OpenedVerification {
  readonly verifier: Verifier;
  readonly guesses: Guesses;
  readonly freshness: Freshness;
  readonly identities: OpenedIdentities;
  readonly announce: Announce;
  /** How long ago each channel of changes was heard. */
  feedHealth(): readonly FeedHealth[];
}

/** Wires memory, Redis and store into one verifier, and starts listening for changes and writing uses. */
export async function openVerification(
  ground: Ground,
  store: OpenedStore,
  redis: OpenedRedis | null,
): Promise<OpenedVerification> {
  const { config, clock, log, closers, place } = ground;
  const { tokens } = store;
  const peppers = await store.openPeppers();
  const shared = redis?.cache ?? null;
  const freshness = createFreshness({ clock });
  const lastUse = createLastUse({
    clock,
    store: tokens,
    onFault: (error) => log.warn({ error }, 'last uses could not be written; they are tried again'),
  });
  const { announce } = openLifecycle(store, redis, freshness, clock);
  const identities = await openIdentities(ground, store, peppers, announce);
  const { ways, passwords: hashing, provisioning } = identities;
  const check = createPasswordDirectory({
    store: store.users,
    passwords: hashing,
    hasLocal: ways.some((way) => way.kind === 'local'),
    sources: ways.filter((way) => way.kind !== 'local' && way.kind !== 'oidc'),
    welcome: (source, identity) => provisioning.welcome(source, identity),
    randomBytes: systemRandom,
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
    shared: redis?.failures(windowMs) ?? place?.failures(windowMs) ?? null,
    limits: { perAccount, perClient, windowMs },
    processes: place?.processes ?? 1,
  });
  const passwords = createPasswordVerifier({ clock, realm, check, shared, peppers, freshness, guesses });
  const verifier = createVerifier({ clock, store: tokens, shared, peppers, freshness, lastUse, passwords });
  const channels = [await startFeed(ground, store.journal(), true, freshness)];
  if (redis !== null) channels.push(await startFeed(ground, redis.feed, false, freshness));
  lastUse.start();
  closers.add(() => lastUse.drain());
  return {
    verifier,
    guesses,
    freshness,
    identities,
    announce,
    feedHealth: () => channels.map((health) => health()),
  };
}

/** Starts a feed into freshness; returns how it is doing. */
async function startFeed(
  { clock, closers }: Ground,
  feed: ChangeFeed,
  replaysRecent: boolean,
  freshness: Freshness,
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
