import type { Log } from '../telemetry/log.ts';
import type { OpenedStore } from './store.ts';

const lookEveryMs = 60_000;

/**
 * Sees to it, now and once a minute, that changes find room on a disk that is full. Where that fails it is
 * logged, and the gateway runs without. Returns what stops it, which resolves when nothing of it runs any more.
 */
export function startReserve(
  store: Pick<OpenedStore, 'keepReserve'>,
  log: Pick<Log, 'warn'>,
): () => Promise<void> {
  const look = async (): Promise<void> => {
    try {
      await store.keepReserve();
    } catch (error) {
      log.warn(
        { error },
        'no room could be set aside for revoking tokens on a full disk; tried again in a minute',
      );
    }
  };
  let running = look();
  const timer = setInterval(() => {
    running = running.then(look);
  }, lookEveryMs).unref();
  return () => {
    clearInterval(timer);
    return running;
  };
}
