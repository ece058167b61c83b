import type { Socket } from 'node:net';
import type { ClientRequest, ClientResponse } from '../../gateway/client-request.ts';
import { readPlainHead } from './head.ts';
import { BodylessRequest, UploadRequest } from './request.ts';
import { PlainResponse } from './response.ts';

/** What a connection asks of the lane it is in. */
export interface ConnectionDeps {
  /** Serves one request; the response says when it is out. */
  serve(req: ClientRequest, res: ClientResponse): void;
  /** Whether requests for this target are served elsewhere. */
  declines(target: string): boolean;
  /** Whether an answer that ends the connection is on its way: nothing behind it is a request. */
  isEnding(socket: Socket): boolean;
  /** Takes the connection over, with bytes read but not understood. The connection listens no more. */
  handOver(socket: Socket, bytes: Buffer): void;
  /** Whether connections are to end behind the answer on its way. */
  isLeaving(): boolean;
  readonly dateLine: () => string;
  /** What tells the client that the connection stays, and how long. */
  readonly keepAliveLines: () => string;
  /** Called when the connection left the lane: handed over, or closed. */
  left(connection: PlainConnection): void;
}

const closeLine = 'Connection: close\r\n';
/** What may stand behind a request that is being answered before reading pauses. */
const heldBytesMax = 16_384;

/**
 * One client's connection while all it sends is plain: one request at a time, what is pipelined waits. The first
 * bytes that are anything else leave, unread, with the connection.
 */
export class PlainConnection {
  /** Counts the requests begun. */
  requests = 0;
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps;
  #response: PlainResponse | null = null;
  #upload: UploadRequest | null = null;
  #held: Buffer | null = null;
  #closes = false;

  constructor(socket: Socket, deps: ConnectionDeps) {
    this.#socket = socket;
    this.#deps = deps;
    socket.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain);
    socket.on('error', ignore).on('close', this.#onClose);
  }

  /** True while nothing is being received or answered. */
  get isIdle(): boolean {
    return this.#response === null && this.#upload === null;
  }

  /** True while the next move is the client's: to ask, or to take in the rest of an answer. */
  get waitsForClient(): boolean {
    return this.#upload === null && (this.#response === null || this.#response.writableEnded);
  }

  /** Ends it now, whatever is under way. */
  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    const rest = this.#upload === null ? chunk : this.#upload.receive(chunk);
    if (this.#upload?.complete === true && this.#response === null) this.#upload = null;
    if (rest === null) return;
    if (this.#response === null) this.#begin(rest);
    else if (!this.#deps.isEnding(this.#socket)) this.#hold(rest);
  };

  #hold(bytes: Buffer): void {
    this.#held = this.#held === null ? bytes : Buffer.concat([this.#held, bytes]);
    if (this.#held.length > heldBytesMax) this.#socket.pause();
  }

  #begin(bytes: Buffer): void {
    const head = readPlainHead(bytes);
    if (head === null || this.#deps.declines(head.target)) return this.#leave(bytes);
    const socket = this.#socket;
    this.requests += 1;
    this.#closes = head.closes;
    this.#response = new PlainResponse({
      socket,
      isHead: head.method === 'HEAD',
      dateLine: this.#deps.dateLine,
      connectionLines: this.#connectionLines,
      finished: this.#onFinished,
    });
    this.#upload = head.bodyBytes === 0 ? null : new UploadRequest(head, socket);
    const rest = bytes.length > head.headBytes ? bytes.subarray(head.headBytes) : null;
    this.#held = rest !== null && this.#upload !== null ? this.#upload.receive(rest) : rest;
    this.#deps.serve(this.#upload ?? new BodylessRequest(head, socket), this.#response);
  }

  readonly #connectionLines = (): string => {
    this.#closes ||= this.#deps.isLeaving();
    return this.#closes ? closeLine : this.#deps.keepAliveLines();
  };

  readonly #onFinished = (): void => {
    this.#response = null;
    if (this.#closes || this.#deps.isLeaving()) {
      this.#socket.destroySoon();
      return;
    }
    // What is left of a body is drained, or cut, by whoever answered without it.
    if (this.#upload?.complete === false) return;
    this.#upload = null;
    const held = this.#held;
    this.#held = null;
    this.#socket.resume();
    if (held !== null) this.#begin(held);
  };

  #leave(bytes: Buffer): void {
    const socket = this.#socket;
    socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
    socket.off('error', ignore).off('close', this.#onClose);
    this.#deps.left(this);
    this.#deps.handOver(socket, bytes);
  }

  readonly #onDrain = (): void => {
    this.#response?.emit('drain');
  };

  readonly #onEnd = (): void => {
    // Who sends no more while an answer is pending is taken for gone.
    if (this.#response === null || this.#response.writableEnded) this.#socket.end();
    else if (!this.#deps.isEnding(this.#socket)) this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#response?.connectionClosed();
    this.#upload?.destroy();
    this.#deps.left(this);
  };
}

function ignore(): void {}
