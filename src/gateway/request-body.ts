import { Readable } from 'node:stream';
import type { ByteSource, ClientRequest } from './client-request.ts';
import type { ProgressWatch, Transfer } from './progress.ts';

/** A body on its way to the backend. */
export type OutgoingBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Streamed; `length` null goes out chunked. */
  | {
      readonly kind: 'stream';
      readonly length: number | null;
      /** Makes the stream for one attempt. */
      open(): Readable;
      /** Lets go of what the stream is read from, after the last attempt. */
      release(): void;
    };

/** Up to this many bytes are read before the backend is asked. */
export const smallBodyBytes = 16_384;

/** What is taken in of what nobody wants any more. */
const unwantedBytesMax = 4_194_304;
/** So long its end is waited for. */
export const unwantedMs = 2_000;

/**
 * Reads on from a client that is being answered without it, so that it comes to read the answer. Beyond 4 MiB nothing
 * more is read: a connection closed over unread bytes is reset, and an answer not read yet is lost.
 */
export function readUnwanted(source: ByteSource): void {
  let taken = 0;
  source.on('data', (chunk: Buffer) => {
    taken += chunk.length;
    if (taken > unwantedBytesMax) source.pause();
  });
  source.resume();
}

/**
 * Lets the rest of an answered request's body run out, so that the connection can serve the next
 * one. Beyond 4 MiB nothing more is read; the connection is cut where the rest has not come after 2 s.
 */
export function drainUnwanted(req: ClientRequest): void {
  if (req.complete || req.destroyed) return;
  const { socket } = req;
  const timer = setTimeout(() => socket.destroy(), unwantedMs);
  req.once('end', () => clearTimeout(timer));
  req.once('close', () => clearTimeout(timer));
  readUnwanted(req);
}

/** What a bounded read of a body found. */
export interface Collected {
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  /** True where nothing follows. */
  readonly ended: boolean;
}

/** The client went away, or its body was malformed, before all of it had arrived. */
export class ClientGone extends Error {
  constructor() {
    super('the client ended the request');
    this.name = 'ClientGone';
  }
}

/** The client sent nothing, or too little, for too long. */
export class ClientStalled extends Error {
  constructor() {
    super('the request body did not arrive in time');
    this.name = 'ClientStalled';
  }
}

/**
 * Reads until the end, until more than `bytesMax` have come, or until `waitMs` have passed since
 * the call (null: no such limit). The request is left paused, whatever follows unread.
 * Rejects with ClientGone, or with ClientStalled where `watch` sees no progress.
 */
export function collectBody(
  req: ClientRequest,
  bytesMax: number,
  waitMs: number | null,
  watch: ProgressWatch,
): Promise<Collected> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const transfer: Transfer = {
      movedBytes: () => bytes,
      waitsForClient: () => true,
      stall: () => {
        stop();
        reject(new ClientStalled());
      },
    };
    const finish = (ended: boolean): void => {
      stop();
      if (!ended) req.pause();
      resolve({ chunks, bytes, ended });
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > bytesMax) finish(false);
    };
    const onEnd = (): void => finish(true);
    const onClose = (): void => {
      stop();
      reject(new ClientGone());
    };
    const timer = waitMs === null ? null : setTimeout(() => finish(false), waitMs);
    const stop = (): void => {
      if (timer !== null) clearTimeout(timer);
      watch.delete(transfer);
      unlisten(req, onData, onEnd, onClose);
    };
    // A request without a body is at its end from the start, and says so in no event.
    if (req.readableEnded) {
      finish(true);
      return;
    }
    if (req.destroyed) {
      onClose();
      return;
    }
    watch.add(transfer);
    listen(req, onData, onEnd, onClose);
    req.resume();
  });
}

/**
 * The request's body as a stream of its own: whoever destroys it leaves the client's socket alone,
 * so that an answer can still go out. `first` are bytes already taken from the request.
 */
export function streamBody(
  req: ClientRequest,
  first: readonly Buffer[],
  onBytes: (bytes: number) => void,
): Readable {
  const onData = (chunk: Buffer): void => {
    onBytes(chunk.length);
    if (!body.push(chunk)) req.pause();
  };
  const onEnd = (): void => {
    body.push(null);
  };
  const onClose = (): void => {
    if (!req.complete) body.destroy(new ClientGone());
  };
  let started = false;
  const body = new Readable({
    highWaterMark: 65_536,
    read() {
      if (!started) {
        started = true;
        for (const chunk of first) body.push(chunk);
        if (req.readableEnded) {
          // It ended with what was taken: no event says so again.
          body.push(null);
          return;
        }
        listen(req, onData, onEnd, onClose);
        if (req.destroyed) onClose();
      }
      req.resume();
    },
    destroy(error, done) {
      unlisten(req, onData, onEnd, onClose);
      req.pause();
      done(error);
    },
  });
  // Whoever forwards it may begin to read only when the client is gone, and listen for errors after that.
  body.on('error', () => undefined);
  return body;
}

function listen(
  req: ClientRequest,
  onData: (chunk: Buffer) => void,
  onEnd: () => void,
  onClose: () => void,
): void {
  req.on('data', onData);
  req.on('end', onEnd);
  req.on('close', onClose);
  req.on('error', onClose);
}

function unlisten(
  req: ClientRequest,
  onData: (chunk: Buffer) => void,
  onEnd: () => void,
  onClose: () => void,
): void {
  req.off('data', onData);
  req.off('end', onEnd);
  req.off('close', onClose);
  req.off('error', onClose);
}
