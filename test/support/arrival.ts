import { within } from './eventually.ts';
import type { Observed } from './framing-verdict.ts';
import { status } from './http-message.ts';
import type { HttpMessage } from './http-message.ts';
import { openRaw } from './raw-client.ts';
import type { RawConnection } from './raw-client.ts';
import { arrivedAtPeer, readByPeer } from './socket-queues.ts';

/** Bytes on their way to a gateway, and the packets they come in. */
export interface Parcel {
  /** Each is sent when the gateway has read the one before. */
  readonly packets: readonly Buffer[];
  /** The methods of the requests in them, one for each final answer that may come. */
  readonly methods: readonly string[];
  /** The address of 127.0.0.0/8 that the connection comes from. */
  readonly from?: string;
}

/**
 * Sends each parcel over a connection of its own, all at the same time and in step: no packet leaves before those before it
 * are read, on all connections. Resolves to what became of each. `arrived` runs when the last packet is in the gateway's
 * sockets.
 */
export async function deliver(
  port: number,
  parcels: readonly Parcel[],
  arrived?: () => Promise<void>,
): Promise<readonly Observed[]> {
  const connections = await Promise.all(
    parcels.map(({ from }) =>
      openRaw(port, { allowHalfOpen: true, ...(from === undefined ? {} : { localAddress: from }) }),
    ),
  );
  const sockets = connections.map(({ socket }) => socket);
  try {
    const steps = Math.max(...parcels.map(({ packets }) => packets.length));
    for (let step = 0; step < steps; step++) {
      if (step > 0) await readByPeer(port, sockets);
      for (const [at, parcel] of parcels.entries())
        sendPacket(connections[at] as RawConnection, parcel, step);
    }
    if (arrived !== undefined) {
      await arrivedAtPeer(port, sockets);
      await arrived();
    }
    return await Promise.all(
      parcels.map(({ methods }, at) => verdict(connections[at] as RawConnection, methods.length)),
    );
  } finally {
    // A reset leaves nothing behind in the kernel; what has been closed in order is not touched by it.
    for (const socket of sockets) socket.resetAndDestroy();
  }
}

function sendPacket(raw: RawConnection, { packets, methods }: Parcel, step: number): void {
  const packet = packets[step];
  // What the gateway has ended is not gone on with.
  if (packet === undefined || raw.isClosed()) return;
  if (step === 0) void raw.send(packet, ...methods);
  else raw.socket.write(packet);
}

const isFinal = (message: HttpMessage): boolean => status(message) >= 200;

/** Waits until the gateway closes, or has answered this often and closes after us. */
async function verdict(raw: RawConnection, answersMax: number): Promise<Observed> {
  const answers: HttpMessage[] = [];
  while (answers.length < answersMax) {
    const next = await raw.nextResponse(15_000).catch((error: unknown) => {
      if (raw.isClosed()) return null;
      throw error;
    });
    if (next === null) break;
    if (isFinal(next)) answers.push(next);
    if (status(next) >= 400) break;
  }
  // A refusal has to close by itself; what was served may keep the connection until we end it.
  const refused = answers.some((answer) => status(answer) >= 400);
  if (refused) await within('the gateway to close', 5_000, raw.closed).catch(() => undefined);
  const closedByGateway = raw.isClosed();
  if (!closedByGateway) {
    raw.socket.end();
    await within('the gateway to end the connection', 5_000, raw.closed);
  }
  return {
    answers: [...answers, ...raw.responses.filter(isFinal)],
    closedByGateway,
    received: raw.received(),
  };
}

/** The method of the request that stands first in these bytes. */
export function methodOf(bytes: Buffer): string {
  return /^\S*/.exec(bytes.toString('latin1', 0, 64))?.[0] ?? '';
}
