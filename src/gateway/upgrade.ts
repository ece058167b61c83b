import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Denial, Inbound } from '../core/decision.ts';
import type { Fault } from '../core/errors.ts';
import type { Principal } from '../core/principal.ts';
import { plainAddress } from './client-side.ts';
import { tooManyRequests } from './concurrent-requests.ts';
import { type Decision, decide } from './decide.ts';
import { asFault, type PipelineDeps } from './pipeline.ts';
import { type RequestRecord, whoAndWhere } from './record.ts';
import { beginSpan, endSpan } from './request-trace.ts';
import { closeWith, type Refusal, renderDenial, renderFault } from './refusal.ts';
import { type Tunnelled, tunnel } from './tunnel.ts';

/**
 * True for the only upgrade that is passed on: a WebSocket handshake (RFC 6455 section 4.2.1).
 * Every other upgrade request is an ordinary request whose Upgrade field is dropped.
 */
export function isWebSocketHandshake(req: IncomingMessage): boolean {
  return (
    req.method === 'GET' &&
    // HTTP/1.0 has no upgrades (RFC 9110 section 7.8).
    req.httpVersion === '1.1' &&
    req.headers.upgrade?.toLowerCase() === 'websocket' &&
    req.headers['sec-websocket-key'] !== undefined &&
    req.headers['content-length'] === undefined &&
    req.headers['transfer-encoding'] === undefined
  );
}

/**
 * Decides a WebSocket handshake like any request, then joins client and backend. The tunnel ends
 * where the same request would not be allowed any more by what is in force then. Never rejects.
 */
export async function upgrade(
  req: IncomingMessage,
  socket: Duplex,
  firstBytes: Buffer,
  exactLine: boolean,
  inForce: () => PipelineDeps,
): Promise<void> {
  const deps = inForce();
  // The server has let go of this socket: a reset that nobody listens for would end the process.
  socket.on('error', () => socket.destroy());
  const startedMs = performance.now();
  const requestId = deps.nextRequestId();
  const inbound = inboundOf(req, exactLine);
  const span = beginSpan(inbound, requestId, deps);
  deps.recorder.begin();
  let decision: Decision | null = null;
  let denial: Denial | null = null;
  let tunnelled: Tunnelled | null = null;
  let entered: Principal | null = null;
  let decidedMs = startedMs;
  const answer: { status: number; fault: Fault | null } = { status: 0, fault: null };
  const refuse = (refusal: Refusal): void => {
    answer.status = refusal.status;
    closeWith(socket, refusal, null);
  };
  const fail = (error: unknown): void => {
    answer.fault = asFault(error, requestId, decision, deps.recorder);
    refuse(renderFault(answer.fault.code, requestId));
  };
  try {
    decision = await decide(inbound, deps);
    decidedMs = performance.now();
    if (decision.kind === 'refuse') {
      denial = decision.denial;
    } else if (!deps.concurrent.enter(decision.principal)) {
      denial = tooManyRequests();
    } else {
      entered = decision.principal;
      const handshake = { allowed: decision, req, socket, firstBytes, requestId, span };
      const stillAllowed = (): Promise<boolean> => holds(inbound, inForce());
      tunnelled = await tunnel({ ...handshake, stillAllowed, failed: fail }, deps);
      if (answer.fault === null) answer.status = tunnelled.status;
    }
    if (denial !== null) {
      const { route, scheme } = decision;
      refuse(renderDenial(denial, route?.challenge ?? null, scheme === 'bearer', requestId));
    }
  } catch (error) {
    fail(error);
  } finally {
    if (entered !== null) deps.concurrent.leave(entered);
  }
  const record: RequestRecord = {
    ...whoAndWhere(decision, inbound.peerAddress),
    requestId,
    method: 'GET',
    status: answer.status,
    outcome: answer.fault?.code ?? denial?.code ?? (answer.status === 0 ? 'aborted' : 'ok'),
    reason: answer.fault?.message ?? denial?.reason ?? null,
    bytesIn: tunnelled?.bytesIn ?? 0,
    bytesOut: tunnelled?.bytesOut ?? 0,
    durationMs: performance.now() - startedMs,
    decisionMs: decidedMs - startedMs,
    backendMs: tunnelled?.backendMs ?? 0,
  };
  deps.recorder.record(record);
  endSpan(span, record, decision);
}

/** Whether the same request would still be allowed; a fault is a no. */
async function holds(inbound: Inbound, deps: PipelineDeps): Promise<boolean> {
  try {
    return (await decide(inbound, deps)).kind === 'allow';
  } catch {
    return false;
  }
}

function inboundOf(req: IncomingMessage, exactLine: boolean): Inbound {
  return {
    exactLine,
    method: req.method as string,
    target: req.url as string,
    rawHeaders: [...req.rawHeaders],
    httpVersion: req.httpVersion,
    peerAddress: plainAddress(req.socket.remoteAddress ?? ''),
    tls: (req.socket as TLSSocket).encrypted === true,
    readBody: () => Promise.resolve(new Uint8Array()),
  };
}
