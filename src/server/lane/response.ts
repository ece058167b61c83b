import { EventEmitter } from 'node:events';
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientResponse } from '../../gateway/client-request.ts';

/** What a response has to know of the request and the connection. */
export interface PlainResponseDeps {
  readonly socket: Socket;
  /** The answer to HEAD has no body (RFC 9110 section 9.3.2). */
  readonly isHead: boolean;
  /** `Date: …`, as of now, with its line break. */
  readonly dateLine: () => string;
  /** The lines that say whether the connection stays; asked when the head is written. */
  readonly connectionLines: () => string;
  /** Called once the last byte was handed to the system. */
  readonly finished: () => void;
}

/** How the end of the body is told (RFC 9112 section 6.3). */
type Framing = { readonly kind: 'none' | 'chunked' } | { readonly kind: 'length'; readonly bytes: number };

const lineBreak = '\r\n';

/**
 * Writes one HTTP/1.1 response to a socket: head and first bytes in one system call, chunked where no length is
 * known. A body that turns out shorter or longer than its length cuts the connection.
 */
export class PlainResponse extends EventEmitter implements ClientResponse {
  headersSent = false;
  writableEnded = false;
  writableFinished = false;
  closed = false;
  readonly #deps: PlainResponseDeps;
  #head: string | null = null;
  #framing: Framing = { kind: 'none' };
  #bodyBytes = 0;

  constructor(deps: PlainResponseDeps) {
    super();
    this.#deps = deps;
  }

  get socket(): Socket {
    return this.#deps.socket;
  }

  get destroyed(): boolean {
    return this.#deps.socket.destroyed;
  }

  get writableHighWaterMark(): number {
    return this.#deps.socket.writableHighWaterMark;
  }

  /** @throws {TypeError} where the reason or a field is none (`ERR_INVALID_CHAR`, `ERR_INVALID_HTTP_TOKEN`) */
  writeHead(status: number, reason: string, fields: readonly string[]): void {
    validateHeaderValue('reason', reason);
    let head = `HTTP/1.1 ${status} ${reason === '' ? (STATUS_CODES[status] ?? '') : reason}${lineBreak}`;
    let lengthBytes: number | null = null;
    let dated = false;
    for (let at = 0; at < fields.length; at += 2) {
      const name = fields[at] as string;
      const value = fields[at + 1] as string;
      validateHeaderName(name);
      validateHeaderValue(name, value);
      head += `${name}: ${value}${lineBreak}`;
      if (name.length === 14 && name.toLowerCase() === 'content-length') lengthBytes = Number(value);
      if (name.length === 4 && name.toLowerCase() === 'date') dated = true;
    }
    if (!dated) head += this.#deps.dateLine();
    const isBodyless = this.#deps.isHead || status === 204 || status === 304;
    if (isBodyless) this.#framing = { kind: 'none' };
    else if (lengthBytes === null) this.#framing = { kind: 'chunked' };
    else this.#framing = { kind: 'length', bytes: lengthBytes };
    if (this.#framing.kind === 'chunked') head += `Transfer-Encoding: chunked${lineBreak}`;
    this.#head = head + this.#deps.connectionLines() + lineBreak;
    this.headersSent = true;
  }

  flushHeaders(): void {
    const { socket } = this.#deps;
    if (this.#head !== null && socket.writable) socket.write(this.#head, 'latin1');
    this.#head = null;
  }

  write(chunk: Buffer): boolean {
    const { socket } = this.#deps;
    if (this.#head === null && this.#framing.kind === 'length') {
      this.#writeBody(chunk);
    } else {
      socket.cork();
      this.flushHeaders();
      this.#writeBody(chunk);
      socket.uncork();
    }
    // What the system took at once waits nowhere, however much it was.
    return socket.writableLength < socket.writableHighWaterMark;
  }

  end(chunk?: Buffer | string): void {
    const { socket } = this.#deps;
    this.writableEnded = true;
    if (!socket.writable) return;
    const lastChunk = this.#framing.kind === 'chunked' ? '0\r\n\r\n' : '';
    if (chunk === undefined || chunk.length === 0) {
      // One write, without gathering.
      const last = (this.#head ?? '') + lastChunk;
      this.#head = null;
      socket.write(last, 'latin1', this.#onFlushed);
    } else {
      socket.cork();
      this.flushHeaders();
      const body = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      if (this.#framing.kind === 'length') {
        this.#writeBody(body, this.#onFlushed);
      } else {
        this.#writeBody(body);
        socket.write(lastChunk, 'latin1', this.#onFlushed);
      }
      socket.uncork();
    }
    if (this.#framing.kind === 'length' && this.#bodyBytes !== this.#framing.bytes) socket.destroy();
  }

  destroy(): void {
    this.#deps.socket.destroy();
  }

  /** To be called when the connection is gone: nothing more will be written. */
  connectionClosed(): void {
    if (this.closed) return;
    this.closed = true;
    this.emit('close');
  }

  #writeBody(chunk: Buffer, written?: (error?: Error | null) => void): void {
    const { socket } = this.#deps;
    if (this.#framing.kind === 'none' || chunk.length === 0 || !socket.writable) return;
    this.#bodyBytes += chunk.length;
    if (this.#framing.kind === 'length') {
      if (this.#bodyBytes > this.#framing.bytes) socket.destroy();
      else socket.write(chunk, written);
      return;
    }
    socket.write(`${chunk.length.toString(16)}${lineBreak}`, 'latin1');
    socket.write(chunk);
    socket.write(lineBreak, 'latin1');
  }

  readonly #onFlushed = (error?: Error | null): void => {
    if (error || this.closed || this.destroyed) return;
    this.writableFinished = true;
    this.closed = true;
    this.emit('close');
    this.#deps.finished();
  };
}
