import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { type Denial, deny } from '../core/decision.ts';
import { sitePath } from '../core/site-path.ts';
import { ClientExchange, type WireHints } from '../gateway/client-exchange.ts';
import type { ClientRequest, ClientResponse } from '../gateway/client-request.ts';
import { tokenInTarget } from '../gateway/credential.ts';
import type { PipelineDeps } from '../gateway/pipeline.ts';
import { readHead } from '../gateway/read-head.ts';
import { type RequestRecord, type UndecidedEnd, undecidedRecord } from '../gateway/record.ts';
import { renderDenial, sendRefusal } from '../gateway/refusal.ts';
import type { RequestHead } from '../gateway/request-head.ts';
import type { WireVisit } from '../web/context.ts';
import { withAllHeaders } from './lean-request.ts';

/** A whole request to our pages is this small that it arrives within this. */
const bodyMs = 30_000;

/** A request and its answer as Node's servers have them. */
export interface Wire {
  readonly incoming: IncomingMessage | Http2ServerRequest;
  readonly outgoing: ServerResponse | Http2ServerResponse;
}

/** The gateway's own pages; answers every request it is handed. */
export interface OwnPages {
  handle(req: Wire['incoming'], res: Wire['outgoing'], visit: WireVisit): void;
}

/** Whether a request target is one of our own pages. */
export function isOwnTarget(target: string): boolean {
  if (!target.startsWith(sitePath)) return false;
  const next = target[sitePath.length];
  return next === undefined || next === '/' || next === '?';
}

/**
 * Serves one request to our own pages, its head read as strictly as any other's, and records it. The
 * access line has no target, which may hold a one-time link.
 */
export function serveOwnPage(
  req: ClientRequest,
  res: ClientResponse,
  hints: WireHints,
  { pages, wire }: { readonly pages: OwnPages; readonly wire: Wire },
  deps: PipelineDeps,
): void {
  if (deps.ending.has(req.socket) || req.socket.destroyed) return;
  const startedMs = performance.now();
  const requestId = deps.nextRequestId();
  const exchange = new ClientExchange(req, res, hints, deps);
  const { method } = exchange;
  const record = (end: Omit<UndecidedEnd, 'requestId' | 'method'>, more: Partial<RequestRecord> = {}): void =>
    deps.recorder.record({
      ...undecidedRecord(exchange.peerAddress, { requestId, method, ...end }),
      durationMs: performance.now() - startedMs,
      ...more,
    });
  deps.recorder.begin();
  const head = admit(exchange, deps);
  if (head.kind === 'deny') {
    const refusal = renderDenial(head, null, false, requestId);
    if (sendRefusal(req, res, refusal) === 'ends') deps.ending.add(req.socket);
    const { status, body } = refusal;
    record({ status, outcome: head.code, reason: head.reason, bytesOut: body.length });
    return;
  }
  const { clientAddress, scheme, host, userAgent } = head;
  const visit: WireVisit = { address: clientAddress, scheme, host, userAgent, requestId, userName: null };
  res.once('close', () => {
    const { userName } = visit;
    const end = res.writableFinished
      ? ({ status: wire.outgoing.statusCode, outcome: 'ok' } as const)
      : ({ status: 0, outcome: 'aborted' } as const);
    record({ ...end, reason: null, bytesOut: 0 }, { clientAddress, userName });
  });
  exchange.sendContinue();
  // Of a request without a body nobody hears the end; its answer may take longer than any request.
  const late = setTimeout(() => {
    if (!req.complete) req.socket.destroy();
  }, bodyMs);
  res.once('close', () => clearTimeout(late));
  const { incoming, outgoing } = wire;
  pages.handle(incoming instanceof IncomingMessage ? withAllHeaders(incoming) : incoming, outgoing, visit);
}

/** The head, read strictly, free of tokens, which pages might repeat, and of a host that is no part of a URL; or the refusal. */
function admit(exchange: ClientExchange, deps: PipelineDeps): RequestHead | Denial {
  const head = readHead(exchange, deps);
  if (head.kind === 'deny') return head;
  // Such as 256.1.1.1: pages name their own address.
  if (!URL.canParse(`http://${head.host}`)) return deny('malformed_host', 'no host of a URL');
  return tokenInTarget(head.path, head.query) ?? head;
}
