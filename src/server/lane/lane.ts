import type { Socket } from 'node:net';
import { type ConnectionDeps, PlainConnection } from './connection.ts';

/** Where plain requests are read from the socket itself. */
export interface Lane {
  /** Takes a new connection in. */
  enter(socket: Socket): void;
  /** From now on every connection ends behind its next answer, or the one on its way. */
  startLeaving(): void;
  /** Ends connections without a request. */
  endIdle(): void;
  /** Ends every connection in the lane. */
  destroyAll(): void;
}

/** How long a client is waited for. */
export interface LaneLimits {
  /** Longest wait for the first request. */
  readonly headMs: number;
  /** Longest wait for another one. */
  readonly keepAliveMs: number;
  /** Longest wait for an answer to be read. */
  readonly idleMs: number;
}

/** What the lane needs of the listener. */
export interface LaneDeps extends Pick<ConnectionDeps, 'serve' | 'declines' | 'isEnding' | 'handOver'> {
  /** Read at every look, so that a reload applies. */
  readonly limits: LaneLimits;
}

/** How much longer than it tells a client the gateway waits, so that a request in time meets an open connection. */
const keepAliveGraceMs = 1_000;

/**
 * A lane in front of the full HTTP server: connections stay in it as long as every request on them is plain (see
 * `readPlainHead`), and are handed over at the first that is not. Idle ones end at their time,
 * and so do those whose client does not read its answer.
 */
export function createLane(deps: LaneDeps): Lane {
  const connections = new Map<PlainConnection, Wait>();
  const { limits } = deps;
  let leaving = false;
  const connectionDeps: ConnectionDeps = {
    ...deps,
    isLeaving: () => leaving,
    dateLine: createDateLine(),
    keepAliveLines: () =>
      `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(limits.keepAliveMs / 1_000)}\r\n`,
    left: (connection) => void connections.delete(connection),
  };
  const sweepMs = Math.max(Math.min(limits.headMs / 4, limits.keepAliveMs / 4, 1_000), 50);
  const sweep = setInterval(() => {
    for (const [connection, wait] of connections) {
      const limitMs = waitMs(connection, limits);
      if (!connection.waitsForClient || connection.requests !== wait.requests) {
        wait.requests = connection.requests;
        wait.sweeps = 0;
      } else if (++wait.sweeps * sweepMs > limitMs) {
        connection.destroy();
      }
    }
  }, sweepMs);
  sweep.unref();
  return {
    enter(socket) {
      connections.set(new PlainConnection(socket, connectionDeps), { requests: 0, sweeps: 0 });
    },
    startLeaving() {
      leaving = true;
    },
    endIdle() {
      for (const connection of connections.keys()) if (connection.isIdle) connection.destroy();
    },
    destroyAll() {
      clearInterval(sweep);
      for (const connection of connections.keys()) connection.destroy();
    },
  };
}

function waitMs(connection: PlainConnection, limits: LaneLimits): number {
  if (connection.requests === 0) return limits.headMs;
  return connection.isIdle ? limits.keepAliveMs + keepAliveGraceMs : limits.idleMs;
}

/** What the last look at a connection found. */
interface Wait {
  requests: number;
  /** Looks in a row that found it waiting for its client. */
  sweeps: number;
}

/** The Date line (RFC 9110 section 6.6.1), written anew once a second. */
function createDateLine(): () => string {
  let second = 0;
  let line = '';
  return () => {
    const now = Date.now();
    const current = Math.floor(now / 1_000);
    if (current !== second) {
      second = current;
      line = `Date: ${new Date(now).toUTCString()}\r\n`;
    }
    return line;
  };
}
