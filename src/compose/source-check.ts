import { setTimeout as sleep } from 'node:timers/promises';
import { createSourceCheck } from '../identity/source-check.ts';
import type { Ground } from './ground.ts';
import type { OpenedStore } from './store.ts';
import type { OpenedVerification } from './verification.ts';

/** Rounds within one interval: nobody waits much longer than that. */
const roundsPerInterval = 10;
const roundMs = { min: 1_000, max: 30_000 } as const;

/** Asks sources at `signIn.checkInterval` whether their users still stand, until the gateway closes. */
export function startSourceCheck(
  { config, clock, log, closers }: Ground,
  store: OpenedStore,
  { identities, announce }: OpenedVerification,
): void {
  const { ways, sealer } = identities;
  const sources = ways.filter((way) => way.kind !== 'local');
  if (sources.length === 0) return;
  const { checkIntervalMs } = config.signIn;
  const everyMs = Math.min(roundMs.max, Math.max(roundMs.min, checkIntervalMs / roundsPerInterval));
  const ended = new AbortController();
  const check = createSourceCheck({
    ...{ sources, store: store.users, announce, clock, log, dueMs: checkIntervalMs - everyMs },
    sealGrant: (grant) => sealer.seal('grant', grant),
    openGrant: (sealed) => sealer.open('grant', sealed),
    sleep: (ms) => sleep(ms, undefined, { ref: false, signal: ended.signal }).catch(() => undefined),
  });
  let running: Promise<void> = Promise.resolve();
  let isRunning = false;
  const timer = setInterval(() => {
    // A round that takes longer than the next one is far from over takes its place.
    if (isRunning) return;
    isRunning = true;
    running = check.round().finally(() => {
      isRunning = false;
    });
  }, everyMs).unref();
  closers.add(async () => {
    clearInterval(timer);
    check.stop();
    ended.abort();
    // Whoever is being waited for is not worth waiting for any more.
    await Promise.all(sources.map((source) => source.close()));
    await running;
  });
}
