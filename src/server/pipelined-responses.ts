import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Responses to requests that came one behind the other on a connection of `node:http`. */
export interface PipelinedResponses {
  /** To be called once for each connection, before its first request. */
  watch(socket: Socket): void;
  /** Adds the response to a request just reported. */
  add(res: ServerResponse, socket: Socket): void;
}

/**
 * Lets every response end with its connection. Behind a CONNECT or an upgrade Node tells only the one whose turn it is:
 * who waits for the `close` of another, finished or not, would wait for ever.
 */
export function createPipelinedResponses(): PipelinedResponses {
  const open = new WeakMap<Socket, Set<ServerResponse>>();
  return {
    watch(socket) {
      const responses = new Set<ServerResponse>();
      open.set(socket, responses);
      socket.once('close', () => {
        for (const res of responses) if (!res.closed) res.emit('close');
      });
    },
    add(res, socket) {
      const responses = open.get(socket);
      responses?.add(res);
      res.once('close', () => responses?.delete(res));
    },
  };
}
