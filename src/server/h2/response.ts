import { EventEmitter } from 'node:events';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { ClientConnection, ClientResponse } from '../../gateway/client-request.ts';

/** What an answer has to know of its request and stream. */
export interface StreamResponseDeps {
  readonly stream: ServerHttp2Stream;
  readonly connection: ClientConnection;
  /** The answer to HEAD has no body (RFC 9110 section 9.3.2). */
  readonly isHead: boolean;
  /** Who does not take in the end of an answer for this long is given up. */
  readonly idleMs: number;
}

/**
 * Answers one stream of HTTP/2. A body that turns out shorter or longer than its length, and one that is cut, ends with
 * a reset of the stream: it never looks whole.
 */
export class StreamResponse extends EventEmitter implements ClientResponse {
  readonly endsAlone = true;
  readonly socket = null;
  writableEnded = false;
  closed = false;
  readonly #stream: ServerHttp2Stream;
  readonly #deps: StreamResponseDeps;
  #isBodyless = false;
  #bytesLeft: number | null = null;

  constructor(deps: StreamResponseDeps) {
    super();
    const { stream } = deps;
    this.#deps = deps;
    this.#stream = stream;
    stream.on('drain', () => this.emit('drain'));
    stream.once('finish', this.#onFinished).once('aborted', this.#close).once('close', this.#close);
  }

  get headersSent(): boolean {
    return this.#stream.headersSent;
  }

  get writableFinished(): boolean {
    const stream = this.#stream;
    if (!this.headersSent || stream.aborted || stream.rstCode !== 0) return false;
    // Where the client has ended its side before, Node closes a stream without a word of the end of ours.
    return stream.writableFinished || (this.writableEnded && stream.closed);
  }

  get writableHighWaterMark(): number {
    return this.#stream.writableHighWaterMark;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  /** @throws {TypeError} where a field is none (`ERR_INVALID_CHAR`, `ERR_INVALID_HTTP_TOKEN`) */
  writeHead(status: number, _reason: string, fields: readonly string[]): void {
    const headers: OutgoingHttpHeaders = Object.create(null) as OutgoingHttpHeaders;
    headers[constants.HTTP2_HEADER_STATUS] = status;
    for (let at = 0; at < fields.length; at += 2)
      addField(headers, fields[at] as string, fields[at + 1] as string);
    const length = headers['content-length'];
    this.#isBodyless = this.#deps.isHead || status === 204 || status === 304;
    this.#bytesLeft = this.#isBodyless || length === undefined ? null : Number(length);
    if (this.destroyed) return;
    this.#stream.respond(headers, { endStream: this.#isBodyless });
    // To HEAD the writable side was ended before there was an answer.
    if (this.#stream.writableFinished) process.nextTick(this.#onFinished);
  }

  /** The head is on its way already. */
  flushHeaders(): void {}

  write(chunk: Buffer): boolean {
    if (!this.#mayWrite(chunk)) return true;
    return this.#stream.write(chunk);
  }

  end(chunk?: Buffer | string): void {
    this.writableEnded = true;
    const body = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (this.#isBodyless || this.destroyed) return;
    if (body !== undefined && !this.#mayWrite(body)) return;
    if (this.#bytesLeft !== null && this.#bytesLeft !== 0) this.destroy();
    else this.#finish(body);
  }

  destroy(): void {
    this.#deps.connection.destroy();
  }

  #finish(body: Buffer | undefined): void {
    const stream = this.#stream;
    stream.setTimeout(this.#deps.idleMs, () => this.#deps.connection.resetAndDestroy());
    if (body === undefined) stream.end();
    else stream.end(body);
  }

  /** False where nothing more is to be written: there is no body, or it would be longer than was said. */
  #mayWrite(chunk: Buffer): boolean {
    if (this.#isBodyless || this.destroyed) return false;
    if (this.#bytesLeft === null) return true;
    this.#bytesLeft -= chunk.length;
    if (this.#bytesLeft >= 0) return true;
    this.destroy();
    return false;
  }

  readonly #onFinished = (): void => {
    // Of HEAD, and of a stream that is being reset, this comes without an answer.
    if (this.writableFinished) this.#close();
  };

  readonly #close = (): void => {
    if (this.closed) return;
    this.closed = true;
    this.emit('close');
  };
}

function addField(headers: OutgoingHttpHeaders, written: string, value: string): void {
  validateHeaderName(written);
  validateHeaderValue(written, value);
  const name = written.toLowerCase();
  const earlier = headers[name];
  if (earlier === undefined) headers[name] = value;
  else headers[name] = Array.isArray(earlier) ? [...earlier, value] : [String(earlier), value];
}
