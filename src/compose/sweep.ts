import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { TokenLifecycle } from '../tokens/lifecycle.ts';
import type { TokenStore } from '../tokens/token-store.ts';

const sweepEveryMs = 60_000;
/** Removed in one transaction: other writers wait for no more. */
const prunedAtOnce = 500;
/** Transactions in one sweep; the next goes on. */
const prunesMax = 20;

interface SweepDeps {
  readonly lifecycle: Pick<TokenLifecycle, 'sweepUnused'>;
  readonly store: Pick<TokenStore, 'pruneAudit'>;
  /** How long audit events are kept. */
  readonly auditKeepMs: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Calls back every `everyMs` until the returned function is called. Default: an unreferenced timer. */
  readonly every?: (everyMs: number, callBack: () => void) => () => void;
}

/**
 * Once a minute, revokes what has been unused longer than its owner allowed (such tokens are refused from
 * that moment on anyway; the sweep makes it last), and forgets audit events older than `auditKeepMs`.
 * Returns what stops it, which resolves when a sweep that is running has ended.
 */
export function startSweep(deps: SweepDeps): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const stopTimer = (deps.every ?? unreferencedTimer)(sweepEveryMs, () => {
    running = running.then(() => sweep(deps));
  });
  return () => {
    stopTimer();
    return running;
  };
}

async function sweep({ lifecycle, store, auditKeepMs, clock, log }: SweepDeps): Promise<void> {
  try {
    const revoked = await lifecycle.sweepUnused();
    if (revoked > 0) log.info({ revoked }, 'unused tokens revoked');
  } catch (error) {
    log.warn({ error }, 'unused tokens could not be revoked; the next sweep tries again');
  }
  try {
    const pruned = await pruneAudit(store, clock.now() - auditKeepMs);
    if (pruned > 0) log.info({ pruned }, 'audit events removed that were older than audit.keep');
  } catch (error) {
    log.warn({ error }, 'old audit events could not be removed; the next sweep tries again');
  }
}

async function pruneAudit(store: Pick<TokenStore, 'pruneAudit'>, before: number): Promise<number> {
  let pruned = 0;
  for (let round = 0; round < prunesMax; round++) {
    const removed = await store.pruneAudit(before, prunedAtOnce);
    pruned += removed;
    if (removed < prunedAtOnce) break;
    // Each round blocks while it is written: requests get their turn in between.
    await nextTurn();
  }
  return pruned;
}

function unreferencedTimer(everyMs: number, callBack: () => void): () => void {
  const timer = setInterval(callBack, everyMs).unref();
  return () => clearInterval(timer);
}
