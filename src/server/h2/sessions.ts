import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';

/** The connections on which clients speak HTTP/2. */
export interface Sessions {
  /** Takes a connection in on which HTTP/2 was agreed on. */
  enter(socket: TLSSocket): void;
  /** Tells every client to come no more on its connection, which ends behind the last answer. */
  startDraining(): void;
  destroyAll(): void;
}

/** What the connections need. */
export interface SessionsDeps {
  /** Both are read anew whenever they count. */
  readonly limits: {
    /** Longest wait for the first request. */
    readonly headMs: number;
    /** Longest wait for another one, while none is under way. */
    readonly keepAliveMs: number;
  };
  /** Counts a request beside others on its connection until the returned function is called; null: it may not begin. */
  admitBeside(socket: TLSSocket): (() => void) | null;
  /** Serves one request; `received` are its pseudo-fields and fields, flat, and `headers` the same as Node reads them. */
  serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, received: readonly string[]): void;
}

/** So many requests of one connection at a time (RFC 9113 section 6.5.2 recommends no fewer). */
const concurrentStreamsMax = 100;
/** What one upload may send ahead, and all of one connection. */
const streamWindowBytes = 262_144;
const connectionWindowBytes = 1_048_576;
/** Names, values and 32 bytes for each field: above what the head reader takes, so that it refuses with a reason. */
const headListBytesMax = 65_535;
const headPairsMax = 205;
/** So long a client may take to end its side of a connection that is over. */
const goodbyeMs = 1_000;
/** Streams that a client may reset, and how many more each second (CVE-2023-44487). */
const resetBurst = 200;
const resetsPerSecond = 20;

/**
 * Sessions of HTTP/2 within bounds: streams at a time, heads, resets, and what is sent without a request. nghttp2 refuses
 * what is no HTTP/2, and bounds settings, pings and continuations. A request that may not begin is refused so that its
 * client may send it again (RFC 9113 section 8.7).
 */
export function createSessions(deps: SessionsDeps): Sessions {
  const sessions = new Map<TLSSocket, ServerHttp2Session>();
  return {
    enter(socket) {
      const session = performServerHandshake(socket, options);
      sessions.set(socket, session);
      socket.once('close', () => sessions.delete(socket));
      // Node waits for our side too: who sends no more is taken for gone.
      socket.once('end', () => socket.destroy());
      // What a client breaks ends its session; there is nobody to tell.
      session.on('error', () => undefined);
      let underWay = 0;
      session.on('stream', (stream, headers, _flags, received) => {
        stream.on('error', () => undefined);
        // One is counted as the connection itself.
        const leave = underWay === 0 ? () => undefined : deps.admitBeside(socket);
        if (leave === null) {
          stream.close(constants.NGHTTP2_REFUSED_STREAM);
          return;
        }
        underWay++;
        stream.once('close', () => {
          underWay--;
          leave();
        });
        deps.serve(stream, headers, received);
      });
      session.setLocalWindowSize(connectionWindowBytes);
      watchIdleness(socket, session, deps);
    },
    startDraining() {
      for (const session of sessions.values()) session.close();
    },
    destroyAll() {
      for (const socket of sessions.keys()) socket.destroy();
    },
  };
}

const options: ServerOptions = {
  settings: {
    maxConcurrentStreams: concurrentStreamsMax,
    initialWindowSize: streamWindowBytes,
    maxHeaderListSize: headListBytesMax,
    enablePush: false,
    enableConnectProtocol: false,
  },
  maxHeaderListPairs: headPairsMax,
  maxSessionRejectedStreams: 50,
  maxSessionInvalidFrames: 50,
  maxSettings: 16,
  // Node leaves such a field out without a word; the head reader refuses it.
  strictFieldWhitespaceValidation: false,
  streamResetBurst: resetBurst,
  streamResetRate: resetsPerSecond,
  // What a backend says twice goes to the client twice, as in HTTP/1.1.
  strictSingleValueFields: false,
};

/** Ends a connection on which no request is under way for too long; pings and settings keep none alive. */
function watchIdleness(socket: TLSSocket, session: ServerHttp2Session, { limits }: SessionsDeps): void {
  let underWay = 0;
  let timer: NodeJS.Timeout | null = null;
  const wait = (ms: number, then: () => void): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(then, ms);
  };
  // Said in order; who does not end its side goes without it.
  const end = (): void => {
    session.close();
    wait(goodbyeMs, () => socket.destroy());
  };
  wait(limits.headMs, end);
  session.on('stream', (stream) => {
    underWay++;
    if (timer !== null) clearTimeout(timer);
    stream.once('close', () => {
      if (--underWay > 0 || socket.destroyed) return;
      // A session that is over has nothing to wait for but the client's end of the connection.
      wait(session.closed ? goodbyeMs : limits.keepAliveMs, end);
    });
  });
  socket.once('close', () => {
    if (timer !== null) clearTimeout(timer);
  });
}
