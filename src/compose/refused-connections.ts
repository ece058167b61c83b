import type { Clock } from '../core/clock.ts';
import type { ConnectionRefusal } from '../server/connection-limits.ts';
import type { Log } from '../telemetry/log.ts';

const everyMs = 60_000;

/**
 * Tells the operator of connections that were refused: of the first at once, of all since then at the first
 * one after a minute, so that a flood fills no disk.
 */
export function createRefusedConnections(
  log: Log,
  clock: Clock,
): (why: ConnectionRefusal, client: string) => void {
  let toldMs = Number.NEGATIVE_INFINITY;
  let refused = 0;
  return (why, client) => {
    refused++;
    const now = clock.monotonic();
    if (now - toldMs < everyMs) return;
    toldMs = now;
    log.warn({ refused, limit: keyOf(why), client, advice: adviceFor(why) }, 'connections refused');
    refused = 0;
  };
}

function keyOf(why: ConnectionRefusal): string {
  return why === 'proxyProtocol' ? 'listen.proxyProtocol' : `limits.${why}`;
}

function adviceFor(why: ConnectionRefusal): string {
  if (why !== 'proxyProtocol') return `raise \`limits.${why}\` if these are wanted`;
  return 'name the proxy in `trustedProxies`, let it send the PROXY protocol (HAProxy: send-proxy-v2), or set `listen.proxyProtocol: false`';
}
