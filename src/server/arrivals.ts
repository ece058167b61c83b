import type { Socket } from 'node:net';
import type { ListenTlsConfig, TlsPair } from '../config/listen-config.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { serveStream } from './h2/serve-stream.ts';
import { createSessions } from './h2/sessions.ts';
import type { Requests } from './requests.ts';
import { createTlsEntrance } from './tls-entrance.ts';

/** What happens to a connection before the first request on it is read. */
export interface Arrivals {
  /** Takes a connection just accepted. */
  enter(socket: Socket): void;
  /** See `PublicListener`. */
  useCertificate(pair: TlsPair): void;
  startDraining(): void;
  destroyAll(): void;
}

/** What arriving needs. */
export interface ArrivalsDeps {
  readonly connections: Pick<ConnectionLimits, 'admit'>;
  /** Null: plain HTTP. */
  readonly tls: ListenTlsConfig | null;
  /** Hears of each TLS handshake that came to nothing. */
  handshakeFailed(): void;
  readonly requests: Requests;
  /** Takes a connection on which HTTP/1.1 is spoken. */
  readonly enterHttp1: (socket: Socket) => void;
  /** Read anew whenever they count. */
  readonly limits: { readonly headMs: number; readonly keepAliveMs: number; readonly idleMs: number };
}

/** Limits, then TLS where there is any, then the protocol that was agreed on. */
export function createArrivals(deps: ArrivalsDeps): Arrivals {
  const { connections, tls, limits, requests, enterHttp1 } = deps;
  const sessions = createSessions({
    limits,
    serve: (stream, headers, received) =>
      serveStream(stream, headers, received, { requests, idleMs: limits.idleMs }),
  });
  const entrance =
    tls === null
      ? null
      : createTlsEntrance({
          pair: tls,
          http2: tls.http2,
          handshakeMs: () => limits.headMs,
          entered: (socket, protocol) => (protocol === 'h2' ? sessions.enter(socket) : enterHttp1(socket)),
          failed: () => deps.handshakeFailed(),
        });
  return {
    enter(socket) {
      if (!connections.admit(socket)) return;
      if (entrance === null) enterHttp1(socket);
      else entrance.enter(socket);
    },
    useCertificate: (pair) => entrance?.use(pair),
    startDraining() {
      entrance?.startDraining();
      sessions.startDraining();
    },
    destroyAll: () => sessions.destroyAll(),
  };
}
