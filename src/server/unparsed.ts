import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { deny } from '../core/decision.ts';
import type { DenialCode } from '../core/errors.ts';
import { plainAddress } from '../gateway/client-side.ts';
import type { PipelineDeps } from '../gateway/pipeline.ts';
import { undecidedRecord } from '../gateway/record.ts';
import { closeWith, renderDenial } from '../gateway/refusal.ts';

/** Answers what Node's parser does not report as a request. */
export interface UnparsedRefusals {
  /** CONNECT, which is a request but never served (RFC 9110 section 9.3.6). */
  readonly refuseConnect: (req: IncomingMessage, socket: Duplex) => void;
  /** Bytes that are no request, or the rest of one; `error` as of the server's `clientError`. */
  readonly refuseBytes: (error: NodeJS.ErrnoException, socket: Duplex) => void;
}

/** What the parser refused, by Node's name for it; anything else is malformed. */
const codes: Readonly<Record<string, DenialCode>> = {
  HPE_HEADER_OVERFLOW: 'head_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/**
 * Refuses once, behind the answers to whole requests before, then closes: framing cannot be trusted any more.
 * Such a refusal is recorded like any other, by the method `-` where there is none.
 */
export function createUnparsedRefusals(
  pipeline: () => Pick<PipelineDeps, 'recorder' | 'nextRequestId'>,
): UnparsedRefusals {
  const refused = new WeakSet<Duplex>();
  const refuse = (socket: Duplex, code: DenialCode, req: IncomingMessage | null): void => {
    const { recorder, nextRequestId } = pipeline();
    const requestId = nextRequestId();
    const denial = deny(code, 'not parsed');
    const refusal = renderDenial(denial, null, false, requestId);
    refused.add(socket);
    closeWith(socket, refusal, req);
    // What began as a request has a record of its own.
    if (responseOn(socket) !== null) return;
    recorder.begin();
    recorder.record(
      undecidedRecord(plainAddress((socket as Socket).remoteAddress ?? ''), {
        requestId,
        method: req?.method ?? '-',
        status: refusal.status,
        outcome: code,
        reason: denial.reason,
        bytesOut: refusal.body.length,
      }),
    );
  };

  const refuseConnect = (req: IncomingMessage, socket: Duplex): void => {
    const current = responseOn(socket);
    // The client would take this answer for those to the requests before it.
    if (current === null) {
      refuse(socket, 'method_refused', req);
      return;
    }
    // The server has let go of this socket: a reset that nobody listens for would end the process.
    socket.on('error', () => socket.destroy());
    current.once('close', () => refuseConnect(req, socket));
  };

  const refuseBytes = (error: NodeJS.ErrnoException, socket: Duplex): void => {
    // The parser complains of each packet behind; to close over those would take the answer back.
    if (refused.has(socket) && error.code !== 'ECONNRESET') return;
    const current = responseOn(socket);
    if (error.code !== 'ECONNRESET' && socket.writable && current?.req.complete === true) {
      // More garbage would come here again.
      socket.pause();
      current.once('close', () => refuseBytes(error, socket));
      return;
    }
    if (error.code === 'ECONNRESET' || !socket.writable || current?.headersSent === true) {
      socket.destroy();
      return;
    }
    refuse(socket, codes[error.code ?? ''] ?? 'malformed_request', null);
  };

  return { refuseConnect, refuseBytes };
}

/** The response that is being made on this connection. */
export function responseOn(socket: Duplex): ServerResponse | null {
  return (socket as Duplex & { _httpMessage?: ServerResponse | null })._httpMessage ?? null;
}
