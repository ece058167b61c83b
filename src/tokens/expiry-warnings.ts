import type { Clock } from '../core/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { DueWarning, WarningChannelName, WarningStore } from './warning-store.ts';

/** Claimed at once: what a process that dies leaves for ten minutes. */
const claimedAtOnce = 20;
/** Under way at once on one channel. */
const atOnce = 4;

/** A way by which warnings go out. */
export interface WarningChannel {
  readonly name: WarningChannelName;
  /**
   * Sends one. 'nobody' where nobody can be told, now or later (no address, or refused for good). Rejects where it
   * could not be sent this time; within a minute at most.
   */
  deliver(warning: DueWarning): Promise<'delivered' | 'nobody'>;
}

/** Sends what is due on one channel. */
export interface ExpiryWarnings {
  /**
   * Sends everything due until `signal` aborts; what fails is left to a later call, and where nothing gets through, so is
   * all the rest. Resolves to how many went out. Rejects with `Fault('store_unavailable')`.
   */
  send(signal: AbortSignal): Promise<number>;
}

interface ExpiryWarningsDeps {
  readonly store: Pick<WarningStore, 'claim' | 'sent'>;
  readonly channel: WarningChannel;
  /** So many days before the end, each once. */
  readonly days: readonly number[];
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<Log, 'warn'>;
}

/** See `ExpiryWarnings`. A warning goes out twice only where a process dies between sending and noting it. */
export function createExpiryWarnings(deps: ExpiryWarningsDeps): ExpiryWarnings {
  const { store, channel, days, clock } = deps;
  return {
    async send(signal) {
      for (let sent = 0; ; ) {
        if (signal.aborted) return sent;
        const claimed = await store.claim(channel.name, days, clock.now(), claimedAtOnce);
        const outcomes = await deliverSome(deps, claimed, signal);
        sent += outcomes.filter((outcome) => outcome === 'delivered').length;
        const isStuck = outcomes.every((outcome) => outcome === 'failed');
        if (claimed.length < claimedAtOnce || isStuck) return sent;
      }
    },
  };
}

type Outcome = 'delivered' | 'nobody' | 'failed';

/** Some at a time; after as many failures in a row as run at once, the rest waits for its next claim. */
async function deliverSome(
  deps: ExpiryWarningsDeps,
  claimed: readonly DueWarning[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...claimed];
  let failuresInRow = 0;
  async function worker(): Promise<void> {
    for (let warning = waiting.shift(); warning !== undefined; warning = waiting.shift()) {
      if (signal.aborted || failuresInRow >= atOnce) return;
      const outcome = await deliverOne(deps, warning);
      outcomes.push(outcome);
      failuresInRow = outcome === 'failed' ? failuresInRow + 1 : 0;
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker));
  return outcomes;
}

async function deliverOne(
  { store, channel, clock, log }: ExpiryWarningsDeps,
  warning: DueWarning,
): Promise<Outcome> {
  const { id, expiresAt } = warning.owned.token;
  let outcome: 'delivered' | 'nobody';
  try {
    outcome = await channel.deliver(warning);
  } catch (error) {
    const fields = { channel: channel.name, token: id, reason: reasonOf(error) };
    log.warn(fields, 'an expiry warning could not be sent; it is tried again');
    return 'failed';
  }
  await store.sent(id, expiresAt ?? 0, warning.days, channel.name, clock.now());
  return outcome;
}

/** Without the error itself: what others answered may repeat addresses. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? `${code}: ${error.message}` : error.message;
}
