import {
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Requests } from '../requests.ts';
import { readStreamHead } from './head.ts';
import { StreamRequest } from './request.ts';
import { StreamResponse } from './response.ts';
import { StreamConnection } from './stream-connection.ts';

/** What a stream needs to be served. */
export interface ServeStreamDeps {
  readonly requests: Requests;
  /** Longest wait for the client to take in the end of its answer. */
  readonly idleMs: number;
}

/** Serves the request of one stream as any other; see `SessionsDeps.serve`. */
export function serveStream(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  received: readonly string[],
  { requests, idleMs }: ServeStreamDeps,
): void {
  const head = readStreamHead(received, stream.endAfterHeaders);
  const connection = new StreamConnection(stream, stream.session?.socket.remoteAddress);
  const req = new StreamRequest(head, stream, connection);
  const res = new StreamResponse({ stream, connection, isHead: head.method === 'HEAD', idleMs });
  const awaitsContinue = headers.expect !== undefined;
  const hints = {
    exactLine: head.isExact,
    sendContinue: awaitsContinue ? () => sendContinue(stream) : null,
  };
  requests.take(req, res, hints, () => {
    // Nobody else waits for such an answer to be read.
    stream.setTimeout(idleMs, () => {
      if (stream.headersSent) connection.resetAndDestroy();
    });
    return {
      incoming: new Http2ServerRequest(stream, headers, {}, received),
      outgoing: new Http2ServerResponse(stream),
    };
  });
}

function sendContinue(stream: ServerHttp2Stream): void {
  if (!stream.destroyed && !stream.closed && !stream.headersSent)
    stream.additionalHeaders({ ':status': 100 });
}
