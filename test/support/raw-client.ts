import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { within } from './eventually.ts';
import { MessageReader } from './http-message.ts';
import type { HttpMessage } from './http-message.ts';

/** One TCP connection over which a test sends exactly the bytes it chose. */
export interface RawConnection {
  readonly socket: Socket;
  /** Sends bytes (text as Latin-1) in one write. The methods in them tell the reader that a response to HEAD has no body. */
  send(bytes: string | Buffer, ...methods: readonly string[]): Promise<void>;
  /** Sends every byte in a write of its own. */
  sendBytewise(bytes: string | Buffer): Promise<void>;
  /** The next response, interim ones included; rejects after `withinMs` (default 5,000) or where none can come. */
  nextResponse(withinMs?: number): Promise<HttpMessage>;
  /** Every response so far that nextResponse has not taken. */
  readonly responses: readonly HttpMessage[];
  /** Every byte received. */
  received(): Buffer;
  /** Why the received bytes are not HTTP, or null. */
  violation(): string | null;
  /** True once the peer has closed or reset. */
  isClosed(): boolean;
  /** Settles when the peer has closed or reset. */
  readonly closed: Promise<void>;
  destroy(): void;
}

/** Where a connection goes to and comes from, and how it ends. */
export interface RawOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** An address of 127.0.0.0/8. */
  readonly localAddress?: string;
  /** Default false: what the peer closes is closed on our side, too. */
  readonly allowHalfOpen?: boolean;
}

/** Opens a connection to a port. */
export async function openRaw(port: number, options: RawOptions = {}): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const chunks: Buffer[] = [];
  const responses: HttpMessage[] = [];
  const listeners = new Set<() => void>();
  const wake = (): void => {
    for (const listener of [...listeners]) listener();
  };
  let over = false;
  let violation: string | null = null;
  const reader = new MessageReader('response', {
    message(message) {
      responses.push(message);
      wake();
    },
    violation(reason) {
      violation = reason;
      wake();
    },
  });
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    reader.push(chunk);
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    const finish = (): void => {
      if (!over) reader.end();
      over = true;
      wake();
      resolve();
    };
    socket.once('end', finish);
    socket.once('close', finish);
  });
  const write = (bytes: Buffer): Promise<void> =>
    new Promise((resolve) => {
      if (socket.writable)
        socket.write(bytes, () => {
          resolve();
        });
      else resolve();
    });

  return {
    socket,
    responses,
    closed,
    received: () => Buffer.concat(chunks),
    violation: () => violation,
    isClosed: () => over,
    send(bytes, ...methods) {
      reader.methods.push(...(methods.length === 0 ? ['GET'] : methods));
      return write(toBytes(bytes));
    },
    async sendBytewise(bytes) {
      for (const byte of toBytes(bytes)) await write(Buffer.from([byte]));
    },
    nextResponse: (withinMs = 5_000) =>
      within(
        'a response',
        withinMs,
        new Promise<HttpMessage>((resolve, reject) => {
          const look = (): void => {
            const first = responses.shift();
            if (first === undefined && !over && violation === null) return;
            listeners.delete(look);
            if (first !== undefined) resolve(first);
            else reject(new Error(`no response: ${violation ?? 'the connection closed'}`));
          };
          listeners.add(look);
          look();
        }),
      ),
    destroy() {
      socket.destroy();
    },
  };
}

function toBytes(bytes: string | Buffer): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
}

/** A request head with its final empty line. */
export function head(method: string, target: string, fields: readonly string[] = []): string {
  return `${[`${method} ${target} HTTP/1.1`, 'Host: gw.example', ...fields].join('\r\n')}\r\n\r\n`;
}

/** One request on a connection of its own, closed after the first final response. */
export async function exchange(
  port: number,
  method: string,
  target: string,
  fields: readonly string[] = [],
  body: string | Buffer = '',
  options: RawOptions = {},
): Promise<HttpMessage> {
  const raw = await openRaw(port, options);
  try {
    const length = body.length > 0 ? [`Content-Length: ${toBytes(body).length}`] : [];
    await raw.send(head(method, target, [...fields, ...length]), method);
    if (body.length > 0) raw.socket.write(toBytes(body));
    for (;;) {
      const answer = await raw.nextResponse(20_000);
      if (!/^HTTP\/1\.1 1\d\d/.test(answer.startLine)) return answer;
    }
  } finally {
    raw.destroy();
  }
}
