import { createServer, type Socket } from 'node:net';
import { type ClientSideReader, plainAddress } from '../gateway/client-side.ts';
import { listenAt, type ListenPlace } from './listen-at.ts';

/** What the listener of a door over gRPC needs. */
export interface GrpcListenerDeps {
  /** Takes a connection of one who may ask. */
  serve(connection: Socket): void;
  /** Lets calls under way end within `graceMs`, then ends the connections. */
  close(graceMs: number): void;
  /** Who may ask. */
  readonly trusted: Pick<ClientSideReader, 'trusts'>;
  /** Hears of a peer that may not. */
  turnedAway(address: string): void;
}

/** Where a proxy asks over gRPC. */
export interface GrpcListener {
  /** Resolves to the port once it is open. Rejects with the system's error. */
  listen(place: ListenPlace): Promise<number>;
  /** Stops accepting; resolves when the last connection has ended, after `graceMs` by force. */
  drain(graceMs: number): Promise<void>;
}

/** Builds the listener. A connection of a peer that is not trusted is closed unread. */
export function createGrpcListener(deps: GrpcListenerDeps): GrpcListener {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (!deps.trusted.trusts(address)) {
      deps.turnedAway(address);
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    deps.serve(socket);
  });
  return {
    listen: (place) => listenAt(server, place),
    async drain(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      deps.close(graceMs);
      const force = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(force);
    },
  };
}
