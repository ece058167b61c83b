import type { Clock } from '../core/clock.ts';
import type { ConnectionBound } from '../server/connection-limits.ts';
import type { Log } from '../telemetry/log.ts';

const everyMs = 60_000;

/**
 * Tells the operator of connections that were refused: of the first at once, of all since then at the first
 * one after a minute, so that a flood fills no disk.
 */
export function createRefusedConnections(
  log: Log,
  clock: Clock,
): (bound: ConnectionBound, client: string) => void {
  let toldMs = Number.NEGATIVE_INFINITY;
  let refused = 0;
  return (bound, client) => {
    refused++;
    const now = clock.monotonic();
    if (now - toldMs < everyMs) return;
    toldMs = now;
    const advice = `raise \`limits.${bound}\` if these are wanted`;
    log.warn({ refused, limit: `limits.${bound}`, client, advice }, 'connections refused');
    refused = 0;
  };
}
