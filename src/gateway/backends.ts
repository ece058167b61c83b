import { isIP } from 'node:net';
import { backendPlace, type BackendPlace } from '../config/backend-address.ts';
import type { Clock } from '../core/clock.ts';
import {
  BackendConnections,
  type BackendHandler,
  type BackendLimits,
  type BackendRequest,
  type BackendTls,
  type LeaveQueue,
} from './backend-connections.ts';

/** One server that a route forwards to. */
export interface Backend {
  /** As the configuration names it, for logs and errors: `http://host:port`, or `unix:/path`. */
  readonly origin: string;
  readonly scheme: 'http' | 'https';
  /** Its socket file; null: it is reached by TCP. */
  readonly socketPath: string | null;
  /** Host and port as a Host header names them; `localhost` over a socket. */
  readonly authority: string;
  /**
   * What its certificate must be for, whatever Host it is sent, which clients choose: '' for an address, which is
   * no server name (RFC 6066 section 3) but is compared with the certificate all the same.
   */
  readonly tlsName: string;
  /** See `BackendConnections`. */
  dispatch(request: BackendRequest, owner: string, handler: BackendHandler): LeaveQueue | null;
}

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

/**
 * The backends at these addresses, as the configuration has them; connections are made on first use. `mistrusted` hears
 * of each that sent what nobody had asked for.
 */
export function createBackendGroup(
  origins: readonly string[],
  limits: BackendLimits,
  tls: BackendTls,
  clock: Clock,
  mistrusted: (origin: string) => void,
): BackendGroup {
  const backends = origins.map((origin) => openBackend(backendPlace(origin), limits, tls, clock, mistrusted));
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
  place: BackendPlace,
  limits: BackendLimits,
  tls: BackendTls,
  clock: Clock,
  mistrusted: (origin: string) => void,
): Backend & { readonly close: () => Promise<void> } {
  const { name, url, socketPath } = place;
  const tlsName = tlsServerName(url.hostname);
  const deps = { place, tlsName, tls, limits, clock, mistrusted: () => mistrusted(name) };
  const connections = new BackendConnections(deps);
  return {
    origin: name,
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    socketPath,
    authority: url.host,
    tlsName,
    dispatch: (request, owner, handler) => connections.dispatch(request, owner, handler),
    close: () => connections.close(),
  };
}

function tlsServerName(hostname: string): string {
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : '';
}
