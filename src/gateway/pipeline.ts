/*
 * The path of a request. Read this first: the order of the steps is the security property.
 * Admit, route, credential, verify and authorize are `decide()`; here follow rewrite, forward, record.
 */
import { type Denial, deny } from '../core/decision.ts';
import { Fault } from '../core/errors.ts';
import type { Principal } from '../core/principal.ts';
import type { RequestSpan, RequestSpans } from '../telemetry/request-span.ts';
import type { AssertionSigner } from './assertion.ts';
import type { Forwarded, Standing } from './attempt.ts';
import { assertionFor, backendFields, backendTarget, responseAddresses } from './backend-request.ts';
import { ClientExchange, type WireHints } from './client-exchange.ts';
import type { ClientRequest, ClientResponse } from './client-request.ts';
import { type ConcurrentRequests, tooManyRequests } from './concurrent-requests.ts';
import { type Allowed, type Decision, type DecideDeps, decide } from './decide.ts';
import { forward } from './forward.ts';
import type { BodyMemory } from './body-memory.ts';
import type { ProgressWatch } from './progress.ts';
import { type Recorder, type RequestRecord, whoAndWhere } from './record.ts';
import { type Refusal, renderDenial, renderFault, sendRefusal } from './refusal.ts';
import {
  ClientGone,
  type Collected,
  ClientStalled,
  drainUnwanted,
  type OutgoingBody,
  smallBodyBytes,
} from './request-body.ts';
import { beginSpan, endSpan } from './request-trace.ts';
import type { Spool } from './spool.ts';

/** What serving needs beyond deciding. */
export interface PipelineDeps extends DecideDeps {
  readonly assertions: AssertionSigner;
  readonly watch: ProgressWatch;
  readonly memory: BodyMemory;
  readonly spool: Spool;
  readonly concurrent: ConcurrentRequests;
  readonly recorder: Recorder;
  /** Null: requests are not traced. */
  readonly spans: RequestSpans | null;
  /** Connections that end with a refusal already decided. */
  readonly ending: WeakSet<object>;
  nextRequestId(): string;
}

/** A chunked body that trickles is passed on as it comes after this long. */
const chunkedWaitMs = 10_000;

/** Serves one request from its head to its record. Never rejects. */
export async function serve(
  req: ClientRequest,
  res: ClientResponse,
  hints: WireHints,
  deps: PipelineDeps,
): Promise<void> {
  // What was pipelined behind a refusal that ends the connection is not a request any more.
  const { socket } = req;
  if (deps.ending.has(socket) || socket.destroyed) return;
  const startedMs = performance.now();
  const requestId = deps.nextRequestId();
  const exchange = new ClientExchange(req, res, hints, deps);
  const span = beginSpan(exchange, requestId, deps);
  let decision: Decision | null = null;
  let entered: Principal | null = null;
  let decidedMs = startedMs;
  let denial: Denial | null = null;
  let forwarded: Forwarded | null = null;
  let fault: Fault | null = null;
  deps.recorder.begin();
  try {
    const pending = decide(exchange, deps);
    decision = pending instanceof Promise ? await pending : pending;
    decidedMs = performance.now();
    if (decision.kind === 'refuse') {
      denial = decision.denial;
    } else if (!deps.concurrent.enter(decision.principal)) {
      denial = tooManyRequests();
    } else {
      entered = decision.principal;
      const answer = await pass(decision, exchange, startedMs, requestId, span, deps);
      if ('kind' in answer) denial = answer;
      else forwarded = answer;
      if (forwarded?.fault) deps.recorder.fault(requestId, forwarded.fault, decision.route.name);
    }
  } catch (error) {
    if (error instanceof ClientStalled) denial = deny('request_timeout', 'body stalled');
    else if (error instanceof NotAnyMore) denial = error.denial;
    else if (!(error instanceof ClientGone)) fault = asFault(error, requestId, decision, deps.recorder);
  } finally {
    if (entered !== null) deps.concurrent.leave(entered);
    let status = forwarded?.status ?? 0;
    const refusal = refusalFor(denial, fault, decision, requestId);
    if (refusal !== null) {
      if (sendRefusal(req, res, refusal) === 'ends') deps.ending.add(socket);
      status = refusal.status;
    } else {
      drainUnwanted(req);
    }
    const endedMs = performance.now();
    const record: RequestRecord = {
      ...whoAndWhere(decision, exchange.peerAddress),
      requestId,
      method: exchange.method,
      status,
      outcome: fault?.code ?? denial?.code ?? forwarded?.outcome ?? 'aborted',
      reason:
        (fault ?? forwarded?.fault)?.message ?? denial?.reason ?? (forwarded?.stalled ? stalledReason : null),
      bytesIn: exchange.received.bytes,
      bytesOut: forwarded?.bytesOut ?? refusal?.body.length ?? 0,
      durationMs: endedMs - startedMs,
      decisionMs: decidedMs - startedMs,
      backendMs: forwarded?.backendMs ?? 0,
    };
    deps.recorder.record(record);
    endSpan(span, record, decision);
  }
}

/** Of a client that was cut off on the way: nothing can be answered there any more. */
const stalledReason = 'client too slow: limits.idle, limits.bodyRateMin';

/** For this long a decision holds by itself: behind a body that took longer to come it is made anew. */
const decisionHoldsMs = 20;

/** Rewrites and forwards what was allowed, once its body is at hand and if it is allowed still. */
async function pass(
  allowed: Allowed,
  exchange: ClientExchange,
  startedMs: number,
  requestId: string,
  span: RequestSpan | null,
  deps: PipelineDeps,
): Promise<Forwarded | Denial> {
  const decidedMs = performance.now();
  exchange.sendContinue();
  const ready = outgoingBody(allowed, exchange, deps.spool);
  const body = ready instanceof Promise ? await ready : ready;
  if (body.kind === 'deny') return body;
  try {
    const waited = ready instanceof Promise || allowed.permit.body !== null;
    if (!waited || performance.now() - startedMs <= decisionHoldsMs) {
      return await send(allowed, body, exchange, decidedMs, requestId, span, deps);
    }
    // Its token may have been revoked meanwhile: a body that trickles must not keep a decision for later.
    const againMs = performance.now();
    const again = await decide(exchange.repeated(allowed.permit.body), deps);
    if (again.kind === 'refuse') return again.denial;
    return await send(again, body, exchange, againMs, requestId, span, deps);
  } finally {
    if (body.kind === 'stream') body.release();
  }
}

async function send(
  allowed: Allowed,
  body: OutgoingBody,
  exchange: ClientExchange,
  decidedMs: number,
  requestId: string,
  span: RequestSpan | null,
  deps: PipelineDeps,
): Promise<Forwarded> {
  const { head, route } = allowed;
  const signed = assertionFor(allowed, deps.assertions);
  const assertion = signed instanceof Promise ? await signed : signed;
  return forward(
    {
      req: exchange.req,
      res: exchange.res,
      method: head.method,
      target: backendTarget(allowed),
      body,
      group: route.backends,
      owner: allowed.principal.tokenId ?? allowed.principal.userId,
      headersFor: (backend) => backendFields(allowed, backend, requestId, assertion, span),
      addressesFor: (backend) => responseAddresses(allowed, backend),
      authenticatesItself: route.config.backendAuth.kind !== 'none',
      received: exchange.received,
      standing: standingOf(allowed, exchange, decidedMs, deps),
      memory: deps.memory,
    },
    deps.watch,
  );
}

/** Decided again while the request waited for its backend, and refused now. */
class NotAnyMore extends Error {
  readonly denial: Denial;

  constructor(denial: Denial) {
    super(denial.reason);
    this.name = 'NotAnyMore';
    this.denial = denial;
  }
}

function standingOf(
  { permit }: Allowed,
  exchange: ClientExchange,
  decidedMs: number,
  deps: PipelineDeps,
): Standing {
  const standing = {
    decidedMs,
    async renew(): Promise<void> {
      const beganMs = performance.now();
      const again = await decide(exchange.repeated(permit.body), deps);
      if (again.kind === 'refuse') throw new NotAnyMore(again.denial);
      standing.decidedMs = beganMs;
    },
  };
  return standing;
}

/**
 * Small bodies are read before the backend is asked: a body that turns out malformed then never
 * reaches it, and a slow client holds no backend connection. Larger ones are streamed once as much has come.
 */
function outgoingBody(
  allowed: Allowed,
  exchange: ClientExchange,
  spool: Spool,
): OutgoingBody | Promise<OutgoingBody | Denial> {
  const { head, permit, route } = allowed;
  if (permit.body !== null) return { kind: 'bytes', bytes: permit.body };
  if (head.body === 'none') return { kind: 'none' };
  if (head.body === 'chunked') return chunkedBody(exchange, route.config.spool ? spool : null);
  if (head.body > smallBodyBytes) return largeBody(exchange, head.body);
  return exchange.collect(smallBodyBytes, null).then(asBytes);
}

async function largeBody(exchange: ClientExchange, length: number): Promise<OutgoingBody> {
  const first = await exchange.collect(smallBodyBytes, null);
  return exchange.stream(first.chunks, length);
}

async function chunkedBody(exchange: ClientExchange, spool: Spool | null): Promise<OutgoingBody | Denial> {
  const first = await exchange.collect(smallBodyBytes, chunkedWaitMs);
  if (first.ended) return asBytes(first);
  if (spool === null) return exchange.stream(first.chunks, null);
  return spool.hold(exchange.req, first.chunks, exchange.count);
}

function asBytes(collected: Collected): OutgoingBody {
  const [only] = collected.chunks;
  if (only === undefined) return { kind: 'none' };
  return { kind: 'bytes', bytes: collected.chunks.length === 1 ? only : Buffer.concat(collected.chunks) };
}

function refusalFor(
  denial: Denial | null,
  fault: Fault | null,
  decision: Decision | null,
  requestId: string,
): Refusal | null {
  if (fault !== null) return renderFault(fault.code, requestId);
  if (denial === null) return null;
  return renderDenial(denial, decision?.route?.challenge ?? null, decision?.scheme === 'bearer', requestId);
}

/** Whatever was thrown is a fault: an error is never an allow, and never the client's. */
export function asFault(
  error: unknown,
  requestId: string,
  decision: Decision | null,
  recorder: Recorder,
): Fault {
  const fault = error instanceof Fault ? error : new Fault('internal', 'unexpected error', error);
  recorder.fault(requestId, error, decision?.route?.name ?? null);
  return fault;
}
