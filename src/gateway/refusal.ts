import type { Duplex } from 'node:stream';
import type { Denial } from '../core/decision.ts';
import { denials, type FaultCode, faults } from '../core/errors.ts';
import type { ClientRequest, ClientResponse } from './client-request.ts';
import { drainUnwanted, readUnwanted, unwantedMs } from './request-body.ts';
import { reasonPhrases } from './reason-phrases.ts';

/** A refusal as it goes to the client: one small problem+json (RFC 9457). */
export interface Refusal {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
  /** True where the connection ends with it. */
  readonly close: boolean;
}

/** What a route asks for in a 401 and a 403. */
export interface Challenge {
  /** WWW-Authenticate values where nothing, or nothing valid, was sent. */
  readonly unauthenticated: readonly string[];
  /** The same where a bearer token was refused (RFC 6750 section 3.1). */
  readonly invalidToken: readonly string[];
}

/**
 * The challenges of a route. Basic comes first: davfs2 and Windows look at the first they know.
 */
export function createChallenge(basic: boolean): Challenge {
  const bearer = 'Bearer realm="Latchkey"';
  const password = basic ? ['Basic realm="Latchkey", charset="UTF-8"'] : [];
  return {
    unauthenticated: [...password, bearer],
    invalidToken: [...password, `${bearer}, error="invalid_token"`],
  };
}

/** Renders a denial. Nothing the client sent is repeated. */
export function renderDenial(
  denial: Denial,
  challenge: Challenge | null,
  bearer: boolean,
  requestId: string,
): Refusal {
  const { status, detail, close } = denials[denial.code];
  const extra: string[] = [];
  if (status === 401 && challenge !== null) {
    for (const value of bearer ? challenge.invalidToken : challenge.unauthenticated) {
      extra.push('WWW-Authenticate', value);
    }
  }
  if (status === 403 && bearer) {
    extra.push('WWW-Authenticate', 'Bearer realm="Latchkey", error="insufficient_scope"');
  }
  if (status === 405) {
    extra.push(
      'Allow',
      'OPTIONS, GET, HEAD, PUT, POST, PATCH, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK, REPORT',
    );
  }
  if (denial.retryAfterMs !== null) {
    extra.push('Retry-After', String(Math.max(1, Math.ceil(denial.retryAfterMs / 1_000))));
  }
  return render(status, detail, extra, close, requestId);
}

/** Renders a fault. */
export function renderFault(code: FaultCode, requestId: string): Refusal {
  const { status, detail } = faults[code];
  return render(status, detail, status === 503 ? ['Retry-After', '2'] : [], false, requestId);
}

function render(
  status: number,
  detail: string,
  extra: readonly string[],
  close: boolean,
  requestId: string,
): Refusal {
  const body = `${JSON.stringify({ title: reasonPhrases[status], status, detail, requestId })}\n`;
  const fields = [
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Cache-Control',
    'no-store',
    ...extra,
  ];
  return { status, fields, body, close };
}

/** A body of at most this many bytes is read to its end, so that a known client's connection can stay. */
const drainBytesMax = 65_536;

/**
 * Sends a refusal. What is left of the request's body is drained where it is short; otherwise the
 * connection 'ends' behind the answer, and never is body read as the next request.
 */
export function sendRefusal(req: ClientRequest, res: ClientResponse, refusal: Refusal): 'stays' | 'ends' {
  if (res.destroyed || res.headersSent) {
    res.destroy();
    return 'ends';
  }
  // Of somebody unknown nothing is read: a body that looks like a request is never near the parser.
  const isUnknown = refusal.status === 401 || refusal.status === 429;
  const announced = announcedBytes(req);
  const isShort = isUnknown ? announced === 0 : req.complete || announced <= drainBytesMax;
  if (res.endsAlone === true || (!refusal.close && isShort)) {
    res.writeHead(refusal.status, reasonPhrases[refusal.status] ?? '', [...refusal.fields]);
    res.end(req.method === 'HEAD' ? undefined : refusal.body);
    drainUnwanted(req);
    return 'stays';
  }
  // Answers to pipelined requests before this one go first.
  if (res.socket === null) res.once('socket', (socket) => closeWith(socket, refusal, req));
  else closeWith(res.socket, refusal, req);
  return 'ends';
}

function announcedBytes(req: ClientRequest): number {
  const headers = req.rawHeaders;
  let bytes = 0;
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] as string).toLowerCase();
    // A client that waits for 100 may or may not send its body after this answer.
    if (name === 'transfer-encoding' || name === 'expect') return Number.POSITIVE_INFINITY;
    if (name === 'content-length') bytes = Number(headers[at + 1]);
  }
  return Number.isNaN(bytes) ? Number.POSITIVE_INFINITY : bytes;
}

/** Writes the refusal to the socket itself, half-closes, and lingers within bounds. */
export function closeWith(socket: Duplex, refusal: Refusal, req: ClientRequest | null): void {
  if (socket.destroyed) return;
  const lines = [`HTTP/1.1 ${refusal.status} ${reasonPhrases[refusal.status] ?? ''}`];
  lines.push(`Date: ${new Date().toUTCString()}`);
  for (let at = 0; at < refusal.fields.length; at += 2)
    lines.push(`${refusal.fields[at]}: ${refusal.fields[at + 1]}`);
  lines.push('Connection: close', '', '');
  socket.on('error', () => socket.destroy());
  socket.end(lines.join('\r\n') + (req?.method === 'HEAD' ? '' : refusal.body), 'latin1');
  const timer = setTimeout(() => socket.destroy(), unwantedMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  const source = req ?? socket;
  source.once('end', () => socket.destroy());
  readUnwanted(source);
}
