import type { Clock } from '../core/clock.ts';

/** A transfer that has to move. */
export interface Transfer {
  /** Bytes moved so far on behalf of the client, both directions. */
  movedBytes(): number;
  /** True while the client is the one we wait for. */
  waitsForClient(): boolean;
  /** Ends it: the client moved too little for too long. */
  stall(): void;
}

/** Watches bodies for progress instead of limiting their whole duration. */
export interface ProgressWatch {
  add(transfer: Transfer): void;
  delete(transfer: Transfer): void;
  stop(): void;
}

/** What counts as progress; read whenever it is looked at. */
export interface ProgressLimits {
  readonly idleMs: number;
  /** Bytes per second, averaged over `idleMs`. */
  readonly bodyRateMin: number;
}

/** The limits may become others at a reload, which must not wait for a long quarter to end. */
const sweepMsMax = 5_000;

/** So many are ended before others get their turn: a crowd that came together is late together. */
const stallsAtOnce = 64;

/**
 * One timer for all transfers: every quarter of `idleMs`, or every 5 s, it looks at each one, and ends those that
 * waited for their client a whole `idleMs` in which less than `bodyRateMin` came through.
 */
export function createProgressWatch(limits: ProgressLimits, clock: Clock): ProgressWatch {
  const windows = new Map<Transfer, { sinceMs: number; bytes: number }>();
  const late = new Set<Transfer>();
  let goesOn: NodeJS.Immediate | null = null;
  const stallSome = (): void => {
    goesOn = null;
    let count = 0;
    for (const transfer of late) {
      if (count++ === stallsAtOnce) {
        goesOn = setImmediate(stallSome);
        return;
      }
      late.delete(transfer);
      transfer.stall();
    }
  };
  const sweep = (): void => {
    const now = clock.monotonic();
    for (const [transfer, window] of windows) {
      const moved = transfer.movedBytes();
      const enough = (limits.bodyRateMin * limits.idleMs) / 1_000;
      if (!transfer.waitsForClient() || moved - window.bytes >= Math.max(enough, 1)) {
        window.sinceMs = now;
        window.bytes = moved;
      } else if (now - window.sinceMs >= limits.idleMs) {
        windows.delete(transfer);
        late.add(transfer);
      }
    }
    if (goesOn === null) stallSome();
  };
  const timer = setInterval(sweep, Math.max(Math.min(limits.idleMs / 4, sweepMsMax), 10));
  timer.unref();
  return {
    add(transfer) {
      windows.set(transfer, { sinceMs: clock.monotonic(), bytes: transfer.movedBytes() });
    },
    delete(transfer) {
      windows.delete(transfer);
      late.delete(transfer);
    },
    stop() {
      clearInterval(timer);
    },
  };
}
