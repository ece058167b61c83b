import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { passClientAddress } from './client-address.ts';
import type { TlsPair } from '../config/listen-config.ts';

/** Where connections become TLS connections. */
export interface TlsEntrance {
  /** Begins the handshake on a connection that nothing was read from; what fails is closed without a word. */
  enter(socket: Socket): void;
  /** Serves this pair from the next handshake on. Throws where OpenSSL takes it for none, and changes nothing. */
  use(pair: TlsPair): void;
  /** Ends every connection whose handshake is not over, and all that come. */
  startDraining(): void;
}

/** What the entrance needs. */
export interface TlsEntranceDeps {
  /** The pair of the first handshakes. */
  readonly pair: TlsPair;
  /** Whether HTTP/2 is offered. */
  readonly http2: boolean;
  /** Longest handshake; asked for each. */
  handshakeMs(): number;
  /** Takes a connection on which the client chose this protocol. */
  entered(socket: TLSSocket, protocol: 'h2' | 'http/1.1'): void;
  /** Hears of each handshake that came to nothing. */
  failed(): void;
}

/**
 * Forward secrecy and authenticated encryption, nothing else: what RFC 9325 section 4.2 recommends, and all that
 * RFC 9113 section 9.2.2 leaves to HTTP/2.
 */
const ciphers = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':');

/** See `TlsEntrance`: TLS 1.2 and 1.3, without renegotiation, the protocol agreed on by ALPN (RFC 7301). */
export function createTlsEntrance(deps: TlsEntranceDeps): TlsEntrance {
  const handshakes = new Map<Socket, NodeJS.Timeout>();
  let draining = false;
  const server = createServer({
    ...contextOptions(deps.pair),
    ALPNProtocols: deps.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
  });
  const over = (raw: Socket): boolean => {
    clearTimeout(handshakes.get(raw));
    return handshakes.delete(raw);
  };
  server.on('secureConnection', (socket) => {
    const raw = underlying(socket);
    if (!over(raw) || draining) {
      socket.destroy();
      return;
    }
    // Node resets TCP connections only; this one is on top of one.
    socket.resetAndDestroy = () => {
      raw.resetAndDestroy();
      return socket;
    };
    passClientAddress(raw, socket);
    deps.entered(socket, socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1');
  });
  server.on('tlsClientError', (_error, socket) => {
    deps.failed();
    socket.destroy();
  });
  return {
    enter(socket) {
      if (draining) {
        socket.destroy();
        return;
      }
      const late = setTimeout(() => socket.destroy(), deps.handshakeMs());
      handshakes.set(socket, late);
      socket.once('close', () => over(socket));
      server.emit('connection', socket);
    },
    use(pair) {
      server.setSecureContext(contextOptions(pair));
    },
    startDraining() {
      draining = true;
      for (const socket of handshakes.keys()) socket.destroy();
    },
  };
}

function contextOptions({ cert, key }: TlsPair): SecureContextOptions {
  return {
    cert,
    key,
    ciphers,
    minVersion: 'TLSv1.2',
    honorCipherOrder: false,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  };
}

/** The connection that a TLS connection was made on. */
function underlying(socket: TLSSocket): Socket {
  const { _parent: raw } = socket as TLSSocket & { readonly _parent?: Socket };
  assert.ok(raw, 'node:tls knows what it speaks over');
  return raw;
}
