import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A wire that a test can cut. */
export interface TcpProxy {
  /** Where it listens on 127.0.0.1. */
  readonly port: number;
  /** Connections now open whose client has sent something that `wanted` accepts: bytes from the server stop arriving. */
  freezeDownstream(wanted: (sent: string) => boolean): void;
  /** Breaks every open connection, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  stop(): Promise<void>;
}

interface Wire {
  readonly client: Socket;
  readonly server: Socket;
  sent: string;
  frozen: boolean;
}

/** Listens on a free port and passes bytes to `targetPort` of 127.0.0.1 and back. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const wires = new Set<Wire>();
  let isCut = false;
  const listener = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const wire: Wire = { client, server: connect(targetPort, '127.0.0.1'), sent: '', frozen: false };
    wires.add(wire);
    client.on('data', (bytes) => {
      wire.sent = (wire.sent + bytes.toString('latin1')).slice(-4_096);
      wire.server.write(bytes);
    });
    wire.server.on('data', (bytes) => {
      if (!wire.frozen) client.write(bytes);
    });
    for (const end of [client, wire.server]) {
      end.on('error', () => undefined);
      end.on('close', () => {
        wires.delete(wire);
        client.destroy();
        wire.server.destroy();
      });
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const breakAll = (): void => {
    for (const wire of wires) wire.client.destroy();
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
    mend: () => void (isCut = false),
    async stop() {
      const closed = once(listener, 'close');
      listener.close();
      breakAll();
      await closed;
    },
  };
}
