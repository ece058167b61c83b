import type { Log } from '../telemetry/log.ts';
import type { OpenedStore } from './store.ts';

const lookEveryMs = 60_000;

/**
 * Sees to it, now and once a minute, that changes find room on a disk that is full. Resolves once room was set
 * aside or that failed, which is logged: the gateway runs without. Returns what stops it.
 */
export async function startReserve(
  store: Pick<OpenedStore, 'keepReserve'>,
  log: Pick<Log, 'warn'>,
): Promise<() => Promise<void>> {
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
  await running;
  const timer = setInterval(() => {
    running = running.then(look);
  }, lookEveryMs).unref();
  return () => {
    clearInterval(timer);
    return running;
  };
}
