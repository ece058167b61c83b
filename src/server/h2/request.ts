import type { ServerHttp2Stream } from 'node:http2';
import type { ByteSource, ClientConnection, ClientRequest } from '../../gateway/client-request.ts';
import type { StreamHead } from './head.ts';

type SourceEvent = Parameters<ByteSource['off']>[0];

/** A request that came as a stream of HTTP/2: its end ends nothing else. */
export class StreamRequest implements ClientRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly socket: ClientConnection;
  readonly #stream: ServerHttp2Stream;

  constructor(head: StreamHead, stream: ServerHttp2Stream, socket: ClientConnection) {
    this.method = head.method;
    this.url = head.target;
    this.rawHeaders = head.fields;
    this.socket = socket;
    this.#stream = stream;
    // Nobody reads a body that is not there, and its end would not come.
    if (stream.endAfterHeaders) stream.resume();
  }

  /** In whose words its head is: what a client writes as HTTP/2.0 into a request line is refused. */
  get httpVersion(): string {
    return '1.1';
  }

  get complete(): boolean {
    return this.readableEnded;
  }

  get readableEnded(): boolean {
    return this.#stream.endAfterHeaders || this.#stream.readableEnded;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  on(event: SourceEvent, listener: (chunk: Buffer) => void): void {
    this.#stream.on(event, listener);
  }

  once(event: SourceEvent, listener: () => void): void {
    this.#stream.once(event, listener);
  }

  off(event: SourceEvent, listener: (chunk: Buffer) => void): void {
    this.#stream.off(event, listener);
  }

  isPaused(): boolean {
    return this.#stream.isPaused();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  iterator(options: { readonly destroyOnReturn: false }): AsyncIterator<Buffer, undefined> {
    return this.#stream.iterator(options) as AsyncIterator<Buffer, undefined>;
  }
}
