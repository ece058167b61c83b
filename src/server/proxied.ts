import type { Socket } from 'node:net';
import { plainAddress } from '../gateway/client-side.ts';
import { setClientAddress } from './client-address.ts';
import { readProxyHeader, proxyHeaderBytesMax } from './proxy-header.ts';

/** Reads who the client is from what its proxy sends first. */
export interface Proxied {
  /**
   * Reads the header, gives the connection the client's address and hands it on, paused, with what follows unread. A
   * connection without a header, with a malformed one, or from somebody who may send none, is reset.
   */
  enter(socket: Socket): void;
  /** Ends every connection whose header is not there. */
  startDraining(): void;
}

/** What reading headers needs. */
export interface ProxiedDeps {
  /** Whether this peer may say who its client is. */
  isProxy(address: string): boolean;
  /** Longest wait for a whole header; asked for each. */
  headerMs(): number;
  entered(socket: Socket): void;
  /** Counts a connection that is not taken. */
  refused(socket: Socket): void;
}

/** Where the proxy would not tell: within no network. */
const unknown = 'unknown';

/** See `Proxied`. */
export function createProxied(deps: ProxiedDeps): Proxied {
  const waiting = new Set<Socket>();
  const refuse = (socket: Socket): void => {
    deps.refused(socket);
    socket.resetAndDestroy();
  };
  return {
    enter(socket) {
      if (!deps.isProxy(plainAddress(socket.remoteAddress ?? ''))) {
        refuse(socket);
        return;
      }
      let bytes = Buffer.alloc(0);
      const late = setTimeout(() => refuse(socket), deps.headerMs());
      const stop = (): void => {
        clearTimeout(late);
        waiting.delete(socket);
        socket.off('data', onData).off('end', onGone).off('error', onGone).off('close', stop);
      };
      const onGone = (): void => void socket.destroy();
      const onData = (chunk: Buffer): void => {
        bytes = Buffer.concat([bytes, chunk]);
        const header = readProxyHeader(bytes);
        if (header.kind === 'unfinished' && bytes.length < proxyHeaderBytesMax) return;
        socket.pause();
        stop();
        if (header.kind !== 'header') {
          socket.on('error', onGone);
          refuse(socket);
          return;
        }
        if (!header.isLocal) setClientAddress(socket, header.address ?? unknown);
        if (bytes.length > header.bytes) socket.unshift(bytes.subarray(header.bytes));
        deps.entered(socket);
      };
      waiting.add(socket);
      socket.on('data', onData).once('end', onGone).on('error', onGone).once('close', stop);
    },
    startDraining() {
      for (const socket of waiting) socket.destroy();
    },
  };
}
