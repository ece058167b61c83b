import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** A port of 127.0.0.1 behind which every connection goes on in another way: in TLS, to a socket file, behind a header. */
export interface ClientTunnel {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts one; `open` makes the way on for each connection. Ends and resets are passed on in both directions. */
export async function startClientTunnel(open: () => Duplex): Promise<ClientTunnel> {
  const sockets = new Set<Duplex>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const onward = open();
    join(socket, onward);
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.once('close', () => sockets.delete(each));
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function join(socket: Socket, onward: Duplex): void {
  socket.pipe(onward).pipe(socket);
  socket.on('error', () => onward.destroy()).once('close', () => onward.destroy());
  onward.on('error', () => socket.resetAndDestroy());
  onward.once('close', () => {
    // What was piped before may not be out yet; a reset ends without an end.
    if (!socket.writableEnded) socket.resetAndDestroy();
  });
}
