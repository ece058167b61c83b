/** A gateway's verification without the gateway: run by `startVerifier` as a process of its own. */
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { openSqlite } from '../../src/storage/sqlite/database.ts';
import { JournalFeed } from '../../src/storage/sqlite/journal-feed.ts';
import { createSqliteTokenStore } from '../../src/storage/sqlite/token-store.ts';
import type { ChangeFeed, ChangeListener } from '../../src/tokens/change-feed.ts';
import { createPeppers } from '../../src/tokens/digest.ts';
import { createFreshness } from '../../src/tokens/freshness.ts';
import { createLastUse } from '../../src/tokens/last-use.ts';
import type { Verification } from '../../src/tokens/verification.ts';
import { createVerifier } from '../../src/tokens/verify.ts';
import { machineMs, stallMsMin } from './verifier-process.ts';
import type { Order, Report, Stall, TokenReport, VerifierSetup } from './verifier-process.ts';
import { openRedis } from './redis-parts.ts';

const tickMs = 2;
const outstandingMax = 8;

interface Hammered extends Omit<TokenReport, 'reasons' | 'tiers'> {
  readonly secret: string;
  outstanding: number;
  readonly reasons: Record<string, number>;
  readonly tiers: Record<string, number>;
}

async function openVerifier(setup: VerifierSetup) {
  const database = await openSqlite({ path: setup.storePath, clock: systemClock, randomBytes: systemRandom });
  const store = createSqliteTokenStore(database);
  const peppers = createPeppers(setup.peppers);
  const freshness = createFreshness({ clock: systemClock });
  const redis = setup.redis === null ? null : await openRedis(setup.redis, store.realm, peppers);
  const journal = deafenable(new JournalFeed({ path: setup.storePath, clock: systemClock }));
  await journal.feed.start(freshness.listener({ replaysRecent: true }));
  await redis?.feed.start(freshness.listener({ replaysRecent: false }));
  const lastUse = createLastUse({ clock: systemClock, store, onFault: () => undefined });
  const verifier = createVerifier({
    clock: systemClock,
    store,
    shared: redis?.cache ?? null,
    peppers,
    freshness,
    lastUse,
    passwords: { verify: () => ({ kind: 'refused', reason: 'wrong_password', tier: 'none' }) },
  });
  lastUse.start();
  return { verifier, journal };
}

/** A feed whose channel can be made to go dead without a word. */
function deafenable(feed: ChangeFeed): { readonly feed: ChangeFeed; deafen(): void } {
  let isDeaf = false;
  const through = (listener: ChangeListener): ChangeListener => ({
    changed: (changes) => (isDeaf ? undefined : listener.changed(changes)),
    heard: () => (isDeaf ? undefined : listener.heard()),
    gap: () => (isDeaf ? undefined : listener.gap()),
  });
  return {
    feed: { name: feed.name, start: (listener) => feed.start(through(listener)), stop: () => feed.stop() },
    deafen: () => void (isDeaf = true),
  };
}

const { verifier, journal } = await openVerifier(JSON.parse(process.argv[2] ?? '') as VerifierSetup);
const context = { clientAddress: '127.0.0.1', client: 'hammer', mainPassword: false };
let tokens = new Map<string, Hammered>();
let stalls: Stall[] = [];
let lastTick = machineMs();

function record(token: Hammered, beganAt: number, verdict: Verification): void {
  token.tiers[verdict.tier] = (token.tiers[verdict.tier] ?? 0) + 1;
  if (verdict.kind === 'verified') {
    token.verified += 1;
    token.lastVerifiedBeganAt = Math.max(token.lastVerifiedBeganAt ?? 0, beganAt);
  } else {
    token.refused += 1;
    token.reasons[verdict.reason] = (token.reasons[verdict.reason] ?? 0) + 1;
    token.lastRefusedBeganAt = Math.max(token.lastRefusedBeganAt ?? 0, beganAt);
  }
}

function ask(token: Hammered): void {
  if (token.outstanding >= outstandingMax) return;
  const beganAt = machineMs();
  const failed = (): void => void (token.faults += 1);
  try {
    const verdict = verifier.verify({ channel: 'bearer', secret: token.secret }, context);
    if (!(verdict instanceof Promise)) {
      record(token, beganAt, verdict);
      return;
    }
    token.outstanding += 1;
    verdict.then((late) => record(token, beganAt, late), failed).finally(() => void (token.outstanding -= 1));
  } catch {
    failed();
  }
}

function tick(): void {
  const now = machineMs();
  if (now - lastTick > stallMsMin) stalls.push({ from: lastTick, to: now });
  lastTick = now;
  for (const token of tokens.values()) ask(token);
  setTimeout(tick, tickMs);
}

function report(): Report {
  const told: Record<string, TokenReport> = {};
  for (const [label, { secret: _secret, outstanding: _outstanding, ...token }] of tokens) told[label] = token;
  return { kind: 'report', tokens: told, stalls };
}

process.on('message', (order: Order) => {
  if (order.kind === 'deafen') journal.deafen();
  if (order.kind === 'hammer') {
    stalls = [];
    tokens = new Map(
      Object.entries(order.tokens).map(([label, secret]) => [
        label,
        {
          secret,
          outstanding: 0,
          verified: 0,
          refused: 0,
          faults: 0,
          lastVerifiedBeganAt: null,
          lastRefusedBeganAt: null,
          reasons: {},
          tiers: {},
        },
      ]),
    );
  }
  process.send?.(report());
});
process.on('disconnect', () => process.exit());
tick();
process.send?.({ kind: 'ready' });
