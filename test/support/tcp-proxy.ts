import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** What becomes of bytes on a wire: they wait until it is mended, as packets sent again and again do. */
export type Direction = 'up' | 'down';

/** A wire that a test can cut. */
export interface TcpProxy {
  /** Where it listens on 127.0.0.1. */
  readonly port: number;
  /** Connections now open whose client has sent something that `wanted` accepts: bytes from the server stop arriving. */
  freezeDownstream(wanted: (sent: string) => boolean): void;
  /** Breaks every open connection, and refuses new ones until `mend`. */
  cut(): void;
  /** Nothing arrives any more in these directions, on connections open now or later, until `mend`; nobody is told. */
  stall(...directions: readonly Direction[]): void;
  /** The server's end of every open connection is gone, and its client is not told. New connections are whole. */
  abandon(): void;
  mend(): void;
  stop(): Promise<void>;
}

interface Wire {
  readonly client: Socket;
  readonly server: Socket;
  sent: string;
  frozen: boolean;
  abandoned: boolean;
}

/** Listens on a free port and passes bytes to `targetPort` of 127.0.0.1 and back. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const wires = new Set<Wire>();
  let isCut = false;
  let stalled: readonly Direction[] = [];
  const settle = ({ client, server }: Wire): void => {
    if (stalled.includes('up')) client.pause();
    else client.resume();
    if (stalled.includes('down')) server.pause();
    else server.resume();
  };
  const listener = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const server = connect(targetPort, '127.0.0.1');
    const wire: Wire = { client, server, sent: '', frozen: false, abandoned: false };
    wires.add(wire);
    client.on('data', (bytes) => {
      wire.sent = (wire.sent + bytes.toString('latin1')).slice(-4_096);
      if (!wire.abandoned) wire.server.write(bytes);
    });
    wire.server.on('data', (bytes) => {
      if (!wire.frozen) client.write(bytes);
    });
    for (const end of [client, wire.server]) {
      end.on('error', () => undefined);
      end.on('close', () => {
        if (wire.abandoned && end === wire.server) return;
        wires.delete(wire);
        client.destroy();
        wire.server.destroy();
      });
    }
    settle(wire);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const breakAll = (): void => {
    for (const wire of wires) wire.client.destroy();
  };
  const stall = (directions: readonly Direction[]): void => {
    stalled = directions;
    for (const wire of wires) settle(wire);
  };
  return {
    port: (listener.address() as AddressInfo).port,
    freezeDownstream(wanted) {
      for (const wire of wires) wire.frozen ||= wanted(wire.sent);
    },
    cut() {
      isCut = true;
      breakAll();
    },
    stall: (...directions) => stall(directions),
    abandon() {
      for (const wire of wires) {
        wire.abandoned = true;
        wire.server.destroy();
      }
    },
    mend() {
      isCut = false;
      stall([]);
    },
    async stop() {
      const closed = once(listener, 'close');
      listener.close();
      breakAll();
      await closed;
    },
  };
}
