import { createServer } from 'node:net';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import { within } from './eventually.ts';
import { field, MessageReader } from './http-message.ts';
import type { HttpMessage } from './http-message.ts';

/** A request as the backend received it. */
export interface RecordedRequest extends HttpMessage {
  readonly method: string;
  readonly target: string;
  /** Which connection it came by. */
  readonly connection: RecordedConnection;
}

/** One connection and all that came over it. */
export interface RecordedConnection {
  readonly requests: RecordedRequest[];
  /** Why its bytes are not HTTP, or null. */
  violation: string | null;
  /** Every byte. */
  bytes(): Buffer;
  /** Settles when either side has closed it. */
  readonly closed: Promise<void>;
  readonly socket: Socket;
}

/**
 * How a request is answered: `head` runs when its head is complete, `message` when its body is. Both write to the socket
 * what they like; an answer lacking either does nothing at that point.
 */
export interface Answer {
  head?(request: RecordedRequest, socket: Socket): void;
  message?(request: RecordedRequest, socket: Socket): void;
}

/** A server that keeps every byte it is sent and answers as told. */
export interface RecordingBackend {
  /** 0 on a socket file. */
  readonly port: number;
  /** As a route names it. */
  readonly url: string;
  /** Connections opened since the last forget(). */
  readonly connections: readonly RecordedConnection[];
  /** Requests completed since the last forget(), over connections old and new, in order of completion. */
  readonly requests: readonly RecordedRequest[];
  /** Whatever came since the last forget() and is not HTTP, over connections old and new. */
  readonly violations: readonly string[];
  /** Every byte since the last forget(), over connections old and new, in order of arrival, Latin-1. */
  text(): string;
  /** The answer to everything from now on. */
  answerWith(answer: Answer): void;
  /** The next request to be complete after this call; rejects after `withinMs` (default 5,000). */
  nextRequest(withinMs?: number): Promise<RecordedRequest>;
  /** The next request whose head is complete after this call. */
  nextHead(withinMs?: number): Promise<RecordedRequest>;
  /** Forgets what was recorded; open connections stay open. */
  forget(): void;
  close(): Promise<void>;
}

/** Bytes of a response with Content-Length. */
export function response(status: number, body: string | Buffer = '', extra: readonly string[] = []): Buffer {
  const payload = Buffer.from(body);
  const lines = [`HTTP/1.1 ${status} Status`, `Content-Length: ${payload.length}`, ...extra];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), payload]);
}

/** Answers every complete request with that status and body. */
export function replying(status: number, body: string | Buffer = '', extra: readonly string[] = []): Answer {
  const whole = response(status, body, extra);
  // A response to HEAD keeps its Content-Length and loses its body.
  const bare = whole.subarray(0, whole.indexOf('\r\n\r\n') + 4);
  return {
    message(request, socket) {
      socket.write(request.method === 'HEAD' ? bare : whole);
    },
  };
}

/**
 * Starts a recording backend, answering 200 with 1 KiB until told otherwise: on a free port of 127.0.0.1, of another address,
 * or on the socket file `path`.
 */
export async function startRecordingBackend(
  place: Pick<ListenOptions, 'host' | 'path'> = { host: '127.0.0.1' },
): Promise<RecordingBackend> {
  let connections: RecordedConnection[] = [];
  let requests: RecordedRequest[] = [];
  let violations: string[] = [];
  let received: Buffer[] = [];
  let answer: Answer = replying(200, 'a'.repeat(1024));
  const sockets = new Set<Socket>();
  const waiting = {
    head: new Set<(r: RecordedRequest) => void>(),
    message: new Set<(r: RecordedRequest) => void>(),
  };

  const announce = (event: 'head' | 'message', request: RecordedRequest): void => {
    const listeners = [...waiting[event]];
    waiting[event].clear();
    for (const listener of listeners) listener(request);
  };

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const chunks: Buffer[] = [];
    let settle = (): void => undefined;
    const connection: RecordedConnection = {
      requests: [],
      violation: null,
      bytes: () => Buffer.concat(chunks),
      closed: new Promise((resolve) => {
        settle = resolve;
      }),
      socket,
    };
    connections.push(connection);
    const recorded = (message: HttpMessage): RecordedRequest => {
      const [method = '', target = ''] = message.startLine.split(' ');
      return { ...message, method, target, connection };
    };
    const reader = new MessageReader('request', {
      head(message) {
        const request = recorded(message);
        if (field(request, 'expect') !== null) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        answer.head?.(request, socket);
        announce('head', request);
      },
      message(message) {
        const request = recorded(message);
        connection.requests.push(request);
        requests.push(request);
        answer.message?.(request, socket);
        announce('message', request);
      },
      violation(reason) {
        connection.violation = reason;
        violations.push(reason);
        socket.end(response(400));
      },
    });
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      received.push(chunk);
      reader.push(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      settle();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(place.path === undefined ? { port: 0, ...place } : place, resolve);
  });
  const listening = server.address() as AddressInfo | string;
  const port = typeof listening === 'string' ? 0 : listening.port;
  const url =
    typeof listening === 'string'
      ? `unix:${listening}`
      : `http://${listening.family === 'IPv6' ? `[${listening.address}]` : listening.address}:${port}`;
  const next = (event: 'head' | 'message', withinMs: number): Promise<RecordedRequest> =>
    within(
      `a request's ${event} at the backend`,
      withinMs,
      new Promise((resolve) => {
        waiting[event].add(resolve);
      }),
    );

  return {
    port,
    url,
    get connections() {
      return connections;
    },
    get requests() {
      return requests;
    },
    get violations() {
      return violations;
    },
    text: () => Buffer.concat(received).toString('latin1'),
    answerWith(next) {
      answer = next;
    },
    nextRequest: (withinMs = 5_000) => next('message', withinMs),
    nextHead: (withinMs = 5_000) => next('head', withinMs),
    forget() {
      connections = [];
      requests = [];
      violations = [];
      received = [];
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}
