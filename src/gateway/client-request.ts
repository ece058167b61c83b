import type { Socket } from 'node:net';

/** What happens to a source of bytes. */
type SourceEvent = 'data' | 'end' | 'close' | 'error';

/** A source of bytes, as far as it is used here: a request's body, or the connection under it. */
export interface ByteSource {
  on(event: SourceEvent, listener: (chunk: Buffer) => void): unknown;
  once(event: SourceEvent, listener: () => void): unknown;
  off(event: SourceEvent, listener: (chunk: Buffer) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** What a request came over, for those who ask where from or end it; a stream of HTTP/2 stands for itself. */
export interface ClientConnection {
  readonly remoteAddress?: string | undefined;
  readonly destroyed: boolean;
  destroy(): unknown;
  /** Ends it at once, whatever is still on its way to the client. */
  resetAndDestroy(): unknown;
}

/**
 * A request as its client sent it: the head as plain data, the body as a source of bytes. Node's
 * IncomingMessage is one; what does not come through `node:http` looks the same from here.
 */
export interface ClientRequest extends ByteSource {
  readonly method?: string | undefined;
  /** The request target as received. */
  readonly url?: string | undefined;
  /** Flat name, value, name, value … in order and spelling of arrival. */
  readonly rawHeaders: readonly string[];
  readonly httpVersion: string;
  readonly socket: ClientConnection;
  /** Everything has arrived, though not necessarily been read. */
  readonly complete: boolean;
  /** Everything has been read, or there was nothing to read. */
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
  isPaused(): boolean;
  destroy(): unknown;
  /** Reads the body chunk by chunk; leaving early does not end the request. */
  iterator(options: { readonly destroyOnReturn: false }): AsyncIterator<Buffer, undefined>;
}

/**
 * The answer to one request. Node's ServerResponse is one. Framing and hop-by-hop fields are its own business.
 */
export interface ClientResponse {
  /** Null while answers to earlier requests on the connection are still on their way, and where an answer ends alone. */
  readonly socket: Socket | null;
  /** True where the end of an answer, or of its request, is told apart from the end of the connection (HTTP/2). */
  readonly endsAlone?: true;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  /** The last byte was handed to the system. */
  readonly writableFinished: boolean;
  /** Bytes that may wait before a writer should. */
  readonly writableHighWaterMark: number;
  readonly destroyed: boolean;
  /** The answer is out, or the connection is gone. */
  readonly closed: boolean;
  /**
   * Takes the head; it goes out with the first bytes of the body, or by `flushHeaders`. Throws where status,
   * reason or a field are none.
   */
  writeHead(status: number, reason: string, fields: string[]): unknown;
  flushHeaders(): void;
  /** Returns false where the writer should wait for `drain`. */
  write(chunk: Buffer): boolean;
  end(chunk?: Buffer | string): unknown;
  /** Cuts the connection: a truncated answer never looks whole. */
  destroy(): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
  once(event: 'socket', listener: (socket: Socket) => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}
