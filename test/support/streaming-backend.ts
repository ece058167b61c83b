import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What became of one request at the streaming backend. */
export interface StreamedRequest {
  readonly method: string;
  /** Body bytes received so far. */
  received(): number;
  /** Body bytes handed to the socket so far. */
  sent(): number;
  /** Settles when the request's connection or response is over; true where it was cut short. */
  readonly over: Promise<boolean>;
  /** Cuts the connection with a reset. */
  reset(): void;
}

/** A backend for bodies too large to keep. */
export interface StreamingBackend {
  readonly url: string;
  readonly requests: readonly StreamedRequest[];
  /** The next request to arrive after this call. */
  nextRequest(): Promise<StreamedRequest>;
  close(): Promise<void>;
}

const block = Buffer.alloc(1024 * 1024, 'latchkey');

/**
 * Starts one. `GET /N` answers with N bytes as fast as they are taken, `GET /N?chunked` without a length; `PUT /count` answers
 * with the number of bytes it was sent, `PUT /deaf` never reads.
 */
export async function startStreamingBackend(): Promise<StreamingBackend> {
  const requests: StreamedRequest[] = [];
  const waiting = new Set<(request: StreamedRequest) => void>();
  const server = createServer({ requestTimeout: 0 }, (req, res) => {
    let received = 0;
    let sent = 0;
    const request: StreamedRequest = {
      method: req.method ?? '',
      received: () => received,
      sent: () => sent,
      over: new Promise((resolve) => {
        res.once('close', () => {
          resolve(!res.writableFinished);
        });
      }),
      reset: () => {
        req.socket.resetAndDestroy();
      },
    };
    requests.push(request);
    for (const listener of waiting) listener(request);
    waiting.clear();
    req.on('error', () => undefined);
    res.on('error', () => undefined);
    if (req.method === 'GET') {
      req.resume();
      sendBytes(req, res, (count) => {
        sent += count;
      });
    } else if (req.url !== '/deaf') {
      req.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      req.on('end', () => res.end(String(received)));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    nextRequest: () =>
      new Promise((resolve) => {
        waiting.add(resolve);
      }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function sendBytes(req: IncomingMessage, res: ServerResponse, count: (bytes: number) => void): void {
  const [, bytes, chunked] = /^\/(\d+)(\?chunked)?/.exec(req.url ?? '') ?? [];
  let left = Number(bytes ?? 0);
  res.writeHead(200, chunked === undefined ? { 'Content-Length': left } : {});
  const pump = (): void => {
    while (left > 0) {
      const part = left < block.length ? block.subarray(0, left) : block;
      left -= part.length;
      count(part.length);
      if (!res.write(part)) {
        res.once('drain', pump);
        return;
      }
    }
    res.end();
  };
  pump();
}
