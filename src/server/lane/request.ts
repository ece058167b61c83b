import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { ByteSource, ClientRequest } from '../../gateway/client-request.ts';
import type { PlainHead } from './head.ts';

type SourceEvent = Parameters<ByteSource['off']>[0];

/** A request without a body: what comes behind it comes over the connection itself. */
export class BodylessRequest implements ClientRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly socket: Socket;

  constructor(head: PlainHead, socket: Socket) {
    this.method = head.method;
    this.url = head.target;
    this.rawHeaders = head.fields;
    this.socket = socket;
  }

  get httpVersion(): string {
    return '1.1';
  }

  get complete(): boolean {
    return true;
  }

  get readableEnded(): boolean {
    return true;
  }

  get destroyed(): boolean {
    return this.socket.destroyed;
  }

  on(event: SourceEvent, listener: (chunk: Buffer) => void): void {
    this.socket.on(event, listener);
  }

  once(event: SourceEvent, listener: () => void): void {
    this.socket.once(event, listener);
  }

  off(event: SourceEvent, listener: (chunk: Buffer) => void): void {
    this.socket.off(event, listener);
  }

  isPaused(): boolean {
    return this.socket.isPaused();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  iterator(): AsyncIterator<Buffer, undefined> {
    return { next: () => Promise.resolve({ done: true, value: undefined }) };
  }
}

/** A request whose body has a stated length (RFC 9112 section 6.3, item 6): a stream of exactly so many bytes. */
export class UploadRequest extends Readable implements ClientRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly socket: Socket;
  #bytesLeft: number;

  constructor(head: PlainHead, socket: Socket) {
    super({ highWaterMark: 65_536 });
    this.method = head.method;
    this.url = head.target;
    this.rawHeaders = head.fields;
    this.socket = socket;
    this.#bytesLeft = head.bodyBytes;
  }

  get httpVersion(): string {
    return '1.1';
  }

  get complete(): boolean {
    return this.#bytesLeft === 0;
  }

  /** Takes what belongs to the body; returns what stands behind it, null where that is nothing. */
  receive(chunk: Buffer): Buffer | null {
    const own = chunk.length > this.#bytesLeft ? chunk.subarray(0, this.#bytesLeft) : chunk;
    this.#bytesLeft -= own.length;
    const wantsMore = this.push(own);
    if (this.#bytesLeft === 0) this.push(null);
    else if (!wantsMore) this.socket.pause();
    return own.length === chunk.length ? null : chunk.subarray(own.length);
  }

  override _read(): void {
    if (this.#bytesLeft > 0) this.socket.resume();
  }
}
