import type { Socket } from 'node:net';
import { denyForNow } from '../core/decision.ts';
import { plainAddress } from '../gateway/client-side.ts';
import { closeWith, type Refusal, renderDenial, renderFault } from '../gateway/refusal.ts';
import { clientPrefix } from '../tokens/client-prefix.ts';

/** How many connections there may be at a time. */
export interface ConnectionBounds {
  readonly connections: number;
  /** Of one IPv4 address, or one /64 of IPv6. */
  readonly connectionsPerClient: number;
}

/** Which of the bounds a connection would have passed. */
export type ConnectionBound = keyof ConnectionBounds;

/** Why a connection was refused: a bound, or `listen.proxyProtocol` without a header that is believed. */
export type ConnectionRefusal = ConnectionBound | 'proxyProtocol';

/** Keeps the connections of clients within bounds. */
export interface ConnectionLimits {
  /**
   * Counts a connection until it closes. False where it may not stay: it is being closed then, and nothing
   * more may be done with it.
   */
  admit(socket: Socket): boolean;
  /** The same for the client behind a proxy, once it is known: the connection itself was admitted before. */
  admitBehind(socket: Socket): boolean;
  /**
   * Counts one more request that is under way beside others on a connection, like a connection of its own, until the
   * returned function is called. Null where it may not begin.
   */
  admitBeside(socket: Socket): (() => void) | null;
  /** Counts a connection that its proxy says nothing of; it is for the caller to end it. */
  refuseWithoutHeader(socket: Socket): void;
  /** Connections admitted and not yet closed. */
  open(): number;
  /** Connections refused so far. */
  refused(): Readonly<Record<ConnectionRefusal, number>>;
}

/** What limiting connections needs. */
export interface ConnectionLimitsDeps {
  /** Asked for each connection, so that a reload applies to those that come after it. */
  bounds(): ConnectionBounds;
  /** Whether who is refused is told why: not where clients expect TLS. */
  readonly answers: boolean;
  /** Whether a peer is a proxy that speaks for many clients: it counts in the total only. */
  isProxy(address: string): boolean;
  /** Hears of each refusal; `client` as it is counted. */
  refused(why: ConnectionRefusal, client: string): void;
}

/** As many as this are told why they are refused, at a time; in a flood the rest is reset, which costs least. */
const answeringMax = 64;
const retryAfterMs = 5_000;

/** See `ConnectionLimits`. Remembers as many clients as have connections open. */
export function createConnectionLimits(deps: ConnectionLimitsDeps): ConnectionLimits {
  const held = new Map<string, number>();
  const refused: Record<ConnectionRefusal, number> = {
    connections: 0,
    connectionsPerClient: 0,
    proxyProtocol: 0,
  };
  let open = 0;
  let beside = 0;
  let answering = 0;

  const tell = (bound: ConnectionBound, client: string): void => {
    refused[bound]++;
    deps.refused(bound, client);
  };

  const refuse = (socket: Socket, bound: ConnectionBound, client: string): false => {
    tell(bound, client);
    if (!deps.answers || answering >= answeringMax) {
      socket.resetAndDestroy();
      return false;
    }
    answering++;
    socket.once('close', () => answering--);
    closeWith(socket, answerFor(bound), null);
    return false;
  };

  const count = (socket: Socket): void => {
    open++;
    socket.once('close', () => open--);
  };

  /** Counts for a client until the returned function is called; null where it has all that it may have. */
  const take = (client: string): (() => void) | null => {
    const former = held.get(client) ?? 0;
    if (former >= deps.bounds().connectionsPerClient) return null;
    held.set(client, former + 1);
    return () => {
      const left = (held.get(client) ?? 0) - 1;
      if (left > 0) held.set(client, left);
      else held.delete(client);
    };
  };

  /** Counts a connection as one of its client's. */
  const hold = (socket: Socket, client: string): boolean => {
    const leave = take(client);
    if (leave === null) return refuse(socket, 'connectionsPerClient', client);
    socket.once('close', leave);
    return true;
  };

  const isFull = (): boolean => open + beside >= deps.bounds().connections;

  return {
    admit(socket) {
      const { remoteAddress } = socket;
      if (remoteAddress === undefined) {
        // The peer has reset it already.
        socket.destroy();
        return false;
      }
      const address = plainAddress(remoteAddress);
      const client = clientPrefix(address);
      if (isFull()) return refuse(socket, 'connections', client);
      if (!deps.isProxy(address) && !hold(socket, client)) return false;
      count(socket);
      return true;
    },
    admitBehind(socket) {
      const address = plainAddress(socket.remoteAddress ?? '');
      return deps.isProxy(address) || hold(socket, clientPrefix(address));
    },
    admitBeside(socket) {
      const address = plainAddress(socket.remoteAddress ?? '');
      const client = clientPrefix(address);
      const leave = isFull() ? null : deps.isProxy(address) ? () => undefined : take(client);
      if (leave === null) {
        tell(isFull() ? 'connections' : 'connectionsPerClient', client);
        return null;
      }
      beside++;
      return () => {
        beside--;
        leave();
      };
    },
    refuseWithoutHeader(socket) {
      refused.proxyProtocol++;
      deps.refused('proxyProtocol', clientPrefix(plainAddress(socket.remoteAddress ?? '')));
    },
    open: () => open,
    refused: () => refused,
  };
}

function answerFor(bound: ConnectionBound): Refusal {
  if (bound === 'connections') return renderFault('overloaded', '-');
  return renderDenial(
    denyForNow('too_many_connections', 'connections per client', retryAfterMs),
    null,
    false,
    '-',
  );
}
