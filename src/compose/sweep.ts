import type { Log } from '../telemetry/log.ts';
import type { TokenLifecycle } from '../tokens/lifecycle.ts';

const sweepEveryMs = 60_000;

/**
 * Revokes, once a minute, what has been unused longer than its owner allowed. Such tokens are
 * refused from that moment on anyway; the sweep makes it last. Returns what stops it.
 */
export function startSweep(lifecycle: TokenLifecycle, log: Log): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const sweep = async (): Promise<void> => {
    try {
      const revoked = await lifecycle.sweepUnused();
      if (revoked > 0) log.info({ revoked }, 'unused tokens revoked');
    } catch (error) {
      log.warn({ error }, 'unused tokens could not be revoked; the next sweep tries again');
    }
  };
  const timer = setInterval(() => {
    running = running.then(sweep);
  }, sweepEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    return running;
  };
}
