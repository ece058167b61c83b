import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Denial } from '../core/decision.ts';
import { ClientExchange, type WireHints } from '../gateway/client-exchange.ts';
import type { PipelineDeps } from '../gateway/pipeline.ts';
import { readHead } from '../gateway/read-head.ts';
import { type RequestRecord, whoAndWhere } from '../gateway/record.ts';
import { type Refusal, renderDenial, sendRefusal } from '../gateway/refusal.ts';
import type { WireVisit } from '../web/context.ts';

/** Everything below this path is ours: pages, API and their files. No route reaches it in this spelling. */
const ownPath = '/.latchkey';
/** A whole request to our pages is this small that it arrives within this. */
const bodyMs = 30_000;

/** The gateway's own pages; answers every request it is handed. */
export interface OwnPages {
  handle(req: IncomingMessage, res: ServerResponse, visit: WireVisit): void;
}

/** Whether a request target is one of our own pages. */
export function isOwnTarget(target: string): boolean {
  if (!target.startsWith(ownPath)) return false;
  const next = target[ownPath.length];
  return next === undefined || next === '/' || next === '?';
}

/**
 * Serves one request to our own pages, its head read as strictly as any other's, and records it. The
 * access line has no target, which may hold a one-time link.
 */
export function serveOwnPage(
  req: IncomingMessage,
  res: ServerResponse,
  hints: WireHints,
  pages: OwnPages,
  deps: PipelineDeps,
): void {
  if (deps.ending.has(req.socket) || req.socket.destroyed) return;
  const startedMs = performance.now();
  const requestId = deps.nextRequestId();
  const exchange = new ClientExchange(req, res, hints, deps);
  deps.recorder.begin();
  const head = readHead(exchange, deps);
  const visit: WireVisit | null =
    head.kind === 'deny'
      ? null
      : {
          address: head.clientAddress,
          scheme: head.scheme,
          host: head.host,
          userAgent: head.userAgent,
          requestId,
          userName: null,
        };
  const denial = head.kind === 'deny' ? head : null;
  let refusal: Refusal | null = null;
  res.once('close', () => {
    const endedMs = performance.now();
    deps.recorder.record({
      ...whoAndWhere(null, visit?.address ?? exchange.peerAddress),
      userName: visit?.userName ?? null,
      requestId,
      method: exchange.method,
      status: res.writableFinished || refusal !== null ? (refusal?.status ?? res.statusCode) : 0,
      outcome: outcomeOf(res, denial),
      reason: denial?.reason ?? null,
      bytesIn: 0,
      bytesOut: refusal?.body.length ?? 0,
      durationMs: endedMs - startedMs,
      decisionMs: 0,
      backendMs: 0,
    });
  });
  if (visit === null) {
    refusal = renderDenial(denial as Denial, null, false, requestId);
    if (sendRefusal(req, res, refusal) === 'ends') deps.ending.add(req.socket);
    return;
  }
  exchange.sendContinue();
  const late = setTimeout(() => req.socket.destroy(), bodyMs);
  req.once('end', () => clearTimeout(late));
  res.once('close', () => clearTimeout(late));
  pages.handle(req, res, visit);
}

function outcomeOf(res: ServerResponse, denial: Denial | null): RequestRecord['outcome'] {
  if (denial !== null) return denial.code;
  return res.writableFinished ? 'ok' : 'aborted';
}
