import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { eventually } from './eventually.ts';

/** Where bytes can be waiting: `unacknowledged` by the peer's kernel, or `unread` by the peer. */
export type Whereabouts = 'unacknowledged' | 'unread';

/** TCP states in which bytes can be under way: established, and closing from either side. */
const open = new Set(['01', '04', '05', '08']);

/**
 * Resolves once the process behind `port` of 127.0.0.1 has read every byte written so far on these IPv4 connections.
 * What is written afterwards reaches it by a read of its own, however quickly it follows. The kernel says so: nothing
 * unacknowledged in our sockets, nothing unread in those of the peer. A closed connection counts as read.
 */
export function readByPeer(port: number, sockets: readonly Socket[]): Promise<boolean> {
  return emptied(port, sockets, ['unacknowledged', 'unread']);
}

/** Like {@link readByPeer}, but the bytes need only have arrived in the sockets of the peer. */
export function arrivedAtPeer(port: number, sockets: readonly Socket[]): Promise<boolean> {
  return emptied(port, sockets, ['unacknowledged']);
}

/** Those of these connections on which bytes wait at one of these places right now. */
export async function underWay(
  port: number,
  sockets: readonly Socket[],
  places: readonly Whereabouts[],
): Promise<readonly Socket[]> {
  const busy = new Set<string>();
  const server = endpoint('', port);
  for (const line of (await readFile('/proc/net/tcp', 'latin1')).split('\n')) {
    const [, local = '', remote = '', state = '', queues = ''] = line.trimStart().split(/ +/, 5);
    if (!open.has(state)) continue;
    const [unacknowledged, unread] = queues.split(':').map((hex) => Number.parseInt(hex, 16));
    if (places.includes('unacknowledged') && remote.endsWith(server) && unacknowledged !== 0) busy.add(local);
    if (places.includes('unread') && local.endsWith(server) && unread !== 0) busy.add(remote);
  }
  return sockets.filter(
    ({ destroyed, writableLength, localAddress = '', localPort = 0 }) =>
      !destroyed && (writableLength > 0 || busy.has(endpoint(localAddress, localPort))),
  );
}

function emptied(port: number, sockets: readonly Socket[], places: readonly Whereabouts[]): Promise<boolean> {
  let waiting = sockets;
  const probe = async (): Promise<boolean> => {
    waiting = await underWay(port, waiting, places);
    return waiting.length === 0;
  };
  return eventually('what was sent to be taken in by the peer', probe, { withinMs: 20_000, everyMs: 1 });
}

/** An address and port as a little-endian kernel prints them; the port alone without an address. */
function endpoint(address: string, port: number): string {
  const bytes = address === '' ? [] : address.split('.').toReversed().map(Number);
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}
