import { isIP } from 'node:net';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { Clock } from '../core/clock.ts';
import { resetCode } from './backend-fault.ts';

/** How to reach and how long to wait for the backends of a route. */
export interface BackendLimits {
  readonly connectMs: number;
  /** For the response head, and for the longest silence within a response body. */
  readonly backendHeadMs: number;
  readonly backendConnections: number;
}

/** One origin that a route forwards to. */
export interface Backend {
  /** `http://host:port`, no path. */
  readonly origin: string;
  /** Host and port as a Host header names them. */
  readonly authority: string;
  /**
   * What its certificate must be for, whatever Host it is sent, which clients choose: '' for an address, which is
   * no server name (RFC 6066 section 3) but is compared with the certificate all the same.
   */
  readonly tlsName: string;
  /** Sends a request over a connection of its own or a kept one; `handler` hears of everything that follows. */
  dispatch(request: BackendRequest, handler: Dispatcher.DispatchHandler): void;
}

/** A request as a backend gets it. */
export type BackendRequest = Pick<Dispatcher.DispatchOptions, 'method' | 'path' | 'headers' | 'body'>;

/** The backends of one route, with what is known of their health. */
export interface BackendGroup {
  /** How many there are. */
  readonly size: number;
  /** How long to wait for a response head. */
  readonly headMs: number;
  /** The next one to try, not in `tried`; null where all were. Healthy ones come first. */
  pick(tried: ReadonlySet<Backend>): Backend | null;
  /** It could not be reached: leave it alone for a while. */
  failed(backend: Backend): void;
  /** It answered. */
  answered(backend: Backend): void;
  /** Ends idle connections and lets running requests finish. */
  close(): Promise<void>;
}

const restMinMs = 1_000;
const restMaxMs = 60_000;

/** Responses with heads beyond this are garbage. */
const backendHeadBytesMax = 65_536;

/** Opens one pool per origin; connections are made on first use. */
export function createBackendGroup(
  origins: readonly string[],
  limits: BackendLimits,
  ca: string | null,
  clock: Clock,
): BackendGroup {
  const backends = origins.map((origin) => openBackend(new URL(origin), limits, ca));
  const resting = new Map<Backend, { untilMs: number; restMs: number }>();
  let turn = 0;
  return {
    size: backends.length,
    headMs: limits.backendHeadMs,
    pick(tried) {
      if (backends.length === 1) return tried.size === 0 ? (backends[0] as Backend) : null;
      const now = clock.monotonic();
      let fallback: Backend | null = null;
      for (let step = 0; step < backends.length; step++) {
        const backend = backends[(turn + step) % backends.length] as Backend;
        if (tried.has(backend)) continue;
        const rest = resting.get(backend);
        if (rest === undefined || rest.untilMs <= now) {
          turn = (turn + step + 1) % backends.length;
          return backend;
        }
        fallback ??= backend;
      }
      // All are resting: trying one beats refusing without asking.
      return fallback;
    },
    failed(backend) {
      const rest = resting.get(backend);
      const now = clock.monotonic();
      // Requests that fail together are one failure: only after its rest does the next one rest longer.
      if (rest !== undefined && now < rest.untilMs) return;
      const restMs = Math.min((rest?.restMs ?? restMinMs / 2) * 2, restMaxMs);
      resting.set(backend, { untilMs: now + restMs, restMs });
    },
    answered(backend) {
      if (resting.size > 0) resting.delete(backend);
    },
    async close() {
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
}

function openBackend(
  url: URL,
  limits: BackendLimits,
  ca: string | null,
): Backend & { readonly close: () => Promise<void> } {
  const tlsName = tlsServerName(url.hostname);
  const pool = new Pool(url.origin, {
    connections: limits.backendConnections,
    pipelining: 1,
    allowH2: false,
    headersTimeout: limits.backendHeadMs,
    bodyTimeout: limits.backendHeadMs,
    // Shorter than what servers commonly wait, so that a request rarely meets a closing socket.
    keepAliveTimeout: 4_000,
    maxHeaderSize: backendHeadBytesMax,
    connect: connectorTo(tlsName, limits, ca),
  });
  return {
    origin: url.origin,
    authority: url.host,
    tlsName,
    dispatch(request, handler) {
      const options: Dispatcher.DispatchOptions & { readonly servername: string } = {
        ...request,
        // Undici otherwise opens a connection for each HEAD, and for LOCK or REPORT with a body.
        reset: false,
        // Undici otherwise takes the Host for it, and reconnects whenever that changes; the connector has its own.
        servername: url.hostname,
      };
      pool.dispatch(options, handler);
    },
    close: () => pool.close(),
  };
}

function connectorTo(servername: string, limits: BackendLimits, ca: string | null): buildConnector.connector {
  const connector = buildConnector({
    timeout: limits.connectMs,
    allowH2: false,
    autoSelectFamily: true,
    ...(ca === null ? {} : { ca }),
  });
  return (options, done) =>
    connector({ ...options, servername }, (...[error, socket]) => {
      if (error !== null) {
        done(error, null);
        return;
      }
      // Before Undici's own listener, which takes a reset for the end of a body that lasts until the close.
      socket.on('error', (reset: NodeJS.ErrnoException) => {
        const code = reset.code === 'ECONNRESET' ? { code: resetCode } : {};
        Object.assign(reset, code, { socket: { bytesRead: socket.bytesRead } });
      });
      done(null, socket);
    });
}

function tlsServerName(hostname: string): string {
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : '';
}
