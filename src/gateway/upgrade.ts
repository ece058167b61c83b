import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import httpProxy from 'http-proxy';
import type { Inbound } from '../core/decision.ts';
import { Fault } from '../core/errors.ts';
import { backendFields } from './backend-request.ts';
import { plainAddress } from './client-side.ts';
import { type Allowed, type Decision, decide } from './decide.ts';
import { asFault, type PipelineDeps } from './pipeline.ts';
import { closeWith, renderDenial, renderFault } from './refusal.ts';

/** How often an open tunnel is decided again, so that a revoked token loses it within the promise. */
const recheckMs = 2_000;

/**
 * True for the only upgrade that is passed on: a WebSocket handshake (RFC 6455 section 4.2.1).
 * Every other upgrade request is an ordinary request whose Upgrade field is dropped.
 */
export function isWebSocketHandshake(req: IncomingMessage): boolean {
  return (
    req.method === 'GET' &&
    req.headers.upgrade?.toLowerCase() === 'websocket' &&
    req.headers['sec-websocket-key'] !== undefined &&
    req.headers['content-length'] === undefined &&
    req.headers['transfer-encoding'] === undefined
  );
}

/**
 * Decides a WebSocket handshake like any request, then joins client and backend. The tunnel ends
 * where the same request would not be allowed any more. Never rejects.
 */
export async function upgrade(
  req: IncomingMessage,
  socket: Duplex,
  firstBytes: Buffer,
  exactLine: boolean,
  deps: PipelineDeps,
): Promise<void> {
  const startedMs = performance.now();
  const requestId = deps.nextRequestId();
  const inbound = inboundOf(req, exactLine);
  deps.recorder.begin();
  let decision: Decision | null = null;
  let fault: Fault | null = null;
  try {
    decision = await decide(inbound, deps);
  } catch (error) {
    fault = asFault(error, requestId, deps.recorder);
  }
  const decidedMs = performance.now();
  let status = 101;
  if (decision?.kind === 'allow') {
    try {
      await tunnel(decision, req, socket, firstBytes, requestId, inbound, deps);
    } catch (error) {
      fault = asFault(error, requestId, deps.recorder);
    }
  }
  const refusal =
    fault !== null
      ? renderFault(fault.code, requestId)
      : decision?.kind === 'refuse'
        ? renderDenial(
            decision.denial,
            decision.route?.challenge ?? null,
            decision.scheme === 'bearer',
            requestId,
          )
        : null;
  if (refusal !== null) {
    status = refusal.status;
    closeWith(socket, refusal, null);
  }
  const principal = decision?.kind === 'allow' ? decision.principal : null;
  deps.recorder.record({
    requestId,
    method: 'GET',
    route: decision?.route?.name ?? null,
    status,
    outcome: fault?.code ?? (decision?.kind === 'refuse' ? decision.denial.code : 'ok'),
    reason: fault?.message ?? (decision?.kind === 'refuse' ? decision.denial.reason : null),
    scheme: decision?.scheme ?? 'none',
    tier: decision?.tier ?? 'none',
    userName: principal?.userName ?? null,
    tokenId: principal?.tokenId ?? null,
    clientAddress: decision?.clientAddress ?? inbound.peerAddress,
    bytesIn: 0,
    bytesOut: 0,
    durationMs: performance.now() - startedMs,
    decisionMs: decidedMs - startedMs,
    backendMs: 0,
  });
}

/** Joins both sides until one ends or the decision no longer holds. */
async function tunnel(
  allowed: Allowed,
  req: IncomingMessage,
  socket: Duplex,
  firstBytes: Buffer,
  requestId: string,
  inbound: Inbound,
  deps: PipelineDeps,
): Promise<void> {
  const { route, head } = allowed;
  const backend = route.backends.pick(new Set());
  if (backend === null) throw new Fault('backend_unreachable', 'no backend');
  const { assertion: assertionHeader } = route.config.identity;
  const assertion =
    assertionHeader === null ? null : await deps.assertions.sign(allowed.principal, route.name);
  // The proxy reads `headers`, not the raw ones, and fires no hook in which they could be cleaned later.
  req.headers = fieldsObject(backendFields(allowed, backend, requestId, assertion));
  req.headers.connection = 'Upgrade';
  req.headers.upgrade = 'websocket';
  req.url = allowed.query === '' ? head.rawPath : `${head.rawPath}?${allowed.query}`;
  const recheck = setInterval(
    () => void holds(inbound, deps).then((still) => still || socket.destroy()),
    recheckMs,
  );
  recheck.unref();
  const { backendCa } = route.config;
  const options = { target: backend.origin, ...(backendCa === null ? {} : { ssl: { ca: backendCa } }) };
  const proxy = httpProxy.createProxyServer(options);
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => {
      clearInterval(recheck);
      proxy.close();
      resolve();
    });
    proxy.ws(req, socket, firstBytes, options, (error: Error) => {
      clearInterval(recheck);
      reject(new Fault('backend_unreachable', 'the backend did not take the WebSocket', error));
    });
  });
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

function fieldsObject(fields: readonly string[]): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (let at = 0; at < fields.length; at += 2) {
    const name = (fields[at] as string).toLowerCase();
    const value = fields[at + 1] as string;
    const earlier = object[name];
    object[name] =
      earlier === undefined ? value : Array.isArray(earlier) ? [...earlier, value] : [earlier, value];
  }
  return object;
}
