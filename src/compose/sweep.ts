import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { repeatedKeptMs } from '../management/repeated-requests.ts';
import type { Log } from '../telemetry/log.ts';
import type { TokenLifecycle } from '../tokens/lifecycle.ts';
import type { OpenedStore } from './store.ts';

const sweepEveryMs = 60_000;
/** Removed in one transaction: other writers wait for no more. */
const prunedAtOnce = 500;
/** Transactions of one kind in one sweep; the next goes on. */
const prunesMax = 20;

interface SweepDeps {
  readonly lifecycle: Pick<TokenLifecycle, 'sweepUnused'>;
  /** What is kept for a while only. */
  readonly kept: readonly Kept[];
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Calls back every `everyMs` until the returned function is called. Default: an unreferenced timer. */
  readonly every?: (everyMs: number, callBack: () => void) => () => void;
}

/** Something of which the store forgets what is old. */
export interface Kept {
  /** In the plural, for the log. */
  readonly name: string;
  /** Removes at most `limit` of those that need not be kept at `now`; resolves to how many. */
  prune(now: number, limit: number): Promise<number>;
}

/** Everything that the store keeps for a while only. */
export function keptForAWhile(store: OpenedStore, config: Pick<Config, 'audit' | 'portal'>): readonly Kept[] {
  return [
    {
      name: 'audit events older than audit.keep',
      prune: (now, limit) => store.tokens.pruneAudit(now - config.audit.keepMs, limit),
    },
    {
      name: 'browser sessions that are over',
      prune: (now, limit) => store.sessions.prune(now, now - config.portal.sessionIdleMs, limit),
    },
    {
      name: 'answers to requests that may come again',
      prune: (now, limit) => store.repeated.prune(now - repeatedKeptMs, limit),
    },
    { name: 'warnings of past ends', prune: (now, limit) => store.warnings.prune(now, limit) },
  ];
}

/**
 * Once a minute, revokes what has been unused longer than its owner allowed (such tokens are refused from
 * that moment on anyway; the sweep makes it last), and forgets what need not be kept any longer.
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

async function sweep({ lifecycle, kept, clock, log }: SweepDeps): Promise<void> {
  try {
    const revoked = await lifecycle.sweepUnused();
    if (revoked > 0) log.info({ revoked }, 'unused tokens revoked');
  } catch (error) {
    log.warn({ error }, 'unused tokens could not be revoked; the next sweep tries again');
  }
  for (const each of kept) {
    try {
      const pruned = await pruneAll(each, clock.now());
      if (pruned > 0) log.info({ pruned }, `removed: ${each.name}`);
    } catch (error) {
      log.warn({ error }, `could not be removed: ${each.name}; the next sweep tries again`);
    }
  }
}

async function pruneAll(kept: Kept, now: number): Promise<number> {
  let pruned = 0;
  for (let round = 0; round < prunesMax; round++) {
    const removed = await kept.prune(now, prunedAtOnce);
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
