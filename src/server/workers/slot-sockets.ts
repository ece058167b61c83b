import { lookup } from 'node:dns/promises';
// As a whole: its BoundSocket came with Node 24.19.
import * as net from 'node:net';
import { bindSocketFile, type SocketFile } from '../socket-file.ts';

/** A place to listen at. */
export interface ListenPoint {
  /** What the worker asks for it by. */
  readonly name: string;
  /** Null: every address. */
  readonly host: string | null;
  /** 0 takes a free one. */
  readonly port: number;
  /** A socket file instead of host and port, which all slots share; null: none. */
  readonly file: SocketFile | null;
}

/**
 * Bound sockets of all listeners, one of each for every slot, which share their port (SO_REUSEPORT): the kernel spreads
 * connections over them. They belong to the supervisor and outlive the worker that accepts from them, so that no
 * connection is lost between a worker and its successor.
 */
export interface SlotSockets {
  /** Of the listeners, in their order. */
  readonly names: readonly string[];
  /** Descriptors for the worker of a slot, in the same order; binds what is not bound. Throws the system's error. */
  take(slot: number): readonly number[];
  /** Closes a slot's sockets: nobody is going to accept from them for a while, and the others get its share. */
  release(slot: number): void;
  close(): void;
}

/** Whether this system can share a port between bound sockets that processes inherit. */
export function canSharePorts(): boolean {
  if (typeof net.BoundSocket !== 'function') return false;
  try {
    using probe = new net.BoundSocket({ host: '127.0.0.1', port: 0, reusePort: true });
    return probe.fd() >= 0;
  } catch {
    return false;
  }
}

/** Makes sure that nobody else listens there. Rejects with the system's error (EADDRINUSE, EACCES …). */
export async function openSlotSockets(points: readonly ListenPoint[]): Promise<SlotSockets> {
  const places: Place[] = [];
  for (const point of points) {
    places.push(point.file === null ? await settle(point) : { shared: await bindSocketFile(point.file) });
  }
  const bound = new Map<number, readonly net.BoundSocket[]>();
  const closeOwn = (sockets: readonly net.BoundSocket[]): void => {
    for (const socket of sockets) if (!isShared(places, socket)) socket.close();
  };
  return {
    names: points.map(({ name }) => name),
    take(slot) {
      const sockets = bound.get(slot) ?? bindAll(places);
      bound.set(slot, sockets);
      return sockets.map((socket) => socket.fd());
    },
    release(slot) {
      closeOwn(bound.get(slot) ?? []);
      bound.delete(slot);
    },
    close() {
      for (const sockets of bound.values()) closeOwn(sockets);
      bound.clear();
      for (const place of places.splice(0)) if ('shared' in place) place.shared.close();
    },
  };
}

function isShared(places: readonly Place[], socket: net.BoundSocket): boolean {
  return places.some((place) => 'shared' in place && place.shared === socket);
}

type Place = { readonly address: string; readonly port: number } | { readonly shared: net.BoundSocket };

/**
 * Sockets that share a port also share it with another gateway of the same user, which would then get half of our
 * requests: so the port is taken without sharing first.
 */
async function settle({ host, port }: ListenPoint): Promise<Place> {
  const address = host === null ? null : net.isIP(host) ? host : (await lookup(host)).address;
  const probe = net.createServer();
  const found = await new Promise<net.AddressInfo>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen({ port, ...(address === null ? {} : { host: address }) }, () =>
      resolve(probe.address() as net.AddressInfo),
    );
  });
  await new Promise((resolve) => probe.close(resolve));
  return { address: found.address, port: found.port };
}

function bindAll(places: readonly Place[]): readonly net.BoundSocket[] {
  const sockets: net.BoundSocket[] = [];
  try {
    for (const place of places) sockets.push('shared' in place ? place.shared : bind(place));
    return sockets;
  } catch (error) {
    for (const socket of sockets) if (!isShared(places, socket)) socket.close();
    throw error;
  }
}

function bind({ address, port }: { readonly address: string; readonly port: number }): net.BoundSocket {
  return new net.BoundSocket({ host: address, port, reusePort: true });
}
