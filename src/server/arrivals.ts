import type { Socket } from 'node:net';
import type { ListenTlsConfig, TlsPair } from '../config/listen-config.ts';
import { setClientAddress, unixAddress } from './client-address.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { serveStream } from './h2/serve-stream.ts';
import { createSessions } from './h2/sessions.ts';
import { createProxied } from './proxied.ts';
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
  readonly connections: Pick<
    ConnectionLimits,
    'admit' | 'admitBehind' | 'admitBeside' | 'refuseWithoutHeader'
  >;
  /** Whether connections come over a unix socket. */
  readonly isUnix: boolean;
  /** Whether every connection begins with what its proxy says of the client; null: none does. */
  readonly proxies: { isProxy(address: string): boolean } | null;
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
    admitBeside: (socket) => connections.admitBeside(socket),
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
  const proceed = (socket: Socket): void => {
    if (entrance === null) enterHttp1(socket);
    else entrance.enter(socket);
  };
  const { proxies } = deps;
  const proxied =
    proxies === null
      ? null
      : createProxied({
          isProxy: (address) => proxies.isProxy(address),
          headerMs: () => limits.headMs,
          refused: (socket) => connections.refuseWithoutHeader(socket),
          entered(socket) {
            if (!connections.admitBehind(socket)) return;
            proceed(socket);
            // TLS takes what was read by itself.
            if (entrance === null) socket.resume();
          },
        });
  return {
    enter(socket) {
      if (deps.isUnix) nameUnixPeer(socket);
      if (!connections.admit(socket)) return;
      if (proxied === null) proceed(socket);
      else proxied.enter(socket);
    },
    useCertificate: (pair) => entrance?.use(pair),
    startDraining() {
      proxied?.startDraining();
      entrance?.startDraining();
      sessions.startDraining();
    },
    destroyAll: () => sessions.destroyAll(),
  };
}

/** It has no address, and nothing that could be reset. */
function nameUnixPeer(socket: Socket): void {
  setClientAddress(socket, unixAddress);
  socket.resetAndDestroy = () => socket.destroy();
}
