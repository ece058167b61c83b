import type { Server as HttpServer } from 'node:http';
import { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Arrivals } from './arrivals.ts';
import type { Lane } from './lane/lane.ts';

/** What ends with a listener. */
export interface Drained {
  readonly server: HttpServer;
  readonly lane: Lane;
  /** Upgraded connections: the server waits for them too, but counts them no longer among its own. */
  readonly tunnels: ReadonlySet<Duplex>;
  /** Ends what is neither in the lane nor at the server; null where there is nothing of the kind. */
  readonly arrivals: Pick<Arrivals, 'startDraining' | 'destroyAll'> | null;
}

/**
 * Stops accepting; resolves when the last connection has ended, after `graceMs` by force. Connections without a request
 * may bring one for `lingerMs` longer, which is served as their last, so that no client finds its connection closed
 * while its request is on the way; 0 ends them at once.
 */
export async function drainListener(
  { server, lane, tunnels, arrivals }: Drained,
  graceMs: number,
  lingerMs: number,
): Promise<void> {
  // Not as node:http has it: that ends idle connections at once.
  const closed = new Promise<void>((resolve) => {
    Server.prototype.close.call(server, () => resolve());
  });
  const force = setTimeout(() => {
    server.closeAllConnections();
    lane.destroyAll();
    arrivals?.destroyAll();
    for (const socket of tunnels) socket.destroy();
  }, graceMs);
  lane.startLeaving();
  if (lingerMs > 0) {
    const ended = new AbortController();
    await Promise.race([
      closed,
      delay(Math.min(lingerMs, graceMs), undefined, { signal: ended.signal }).catch(() => undefined),
    ]);
    ended.abort();
  }
  arrivals?.startDraining();
  lane.endIdle();
  // A kept-alive connection turns idle when its request ends: look again until none is left.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  server.closeIdleConnections();
  await closed;
  lane.destroyAll();
  clearInterval(sweep);
  clearTimeout(force);
}
