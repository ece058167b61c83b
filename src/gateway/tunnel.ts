import { type ClientRequest, type IncomingMessage, ServerResponse } from 'node:http';
import { Agent } from 'node:https';
import type { Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import type { createProxyServer, ProxyTarget } from 'http-proxy';
import { Fault } from '../core/errors.ts';
import type { RequestSpan } from '../telemetry/request-span.ts';
import type { AssertionSigner } from './assertion.ts';
import { tlsOptions } from './backend-connections.ts';
import { toFault } from './backend-fault.ts';
import { assertionFor, backendFields, backendTarget, responseAddresses } from './backend-request.ts';
import type { Backend } from './backends.ts';
import type { Allowed } from './decide.ts';
import { answerHead } from './response-head.ts';

/** A handshake that was allowed, and the socket it came over. */
export interface Handshake {
  readonly allowed: Allowed;
  readonly req: IncomingMessage;
  /** Has an error listener. */
  readonly socket: Duplex;
  /** What the client sent behind its handshake. */
  readonly firstBytes: Buffer;
  readonly requestId: string;
  /** Null: not traced. */
  readonly span: RequestSpan | null;
  /** Whether the same request would be allowed now. Never rejects. */
  stillAllowed(): Promise<boolean>;
  /** Answers in place of a backend that did not; called at most once, and nothing is written after it. */
  failed(fault: Fault): void;
}

/** How a handshake ended, once the client's socket is closed. */
export interface Tunnelled {
  /** Of the backend's answer: 101 where there was a tunnel, 0 where there was no answer. */
  readonly status: number;
  /** What the client sent through the tunnel. */
  readonly bytesIn: number;
  /** What the client got through the tunnel, or as the body of another answer. */
  readonly bytesOut: number;
  /** Until the backend's answer; 0 where there was none. */
  readonly backendMs: number;
}

/** How often an open tunnel is decided again, so that a revoked token loses it within the promise. */
const recheckMs = 2_000;
/** Behind an older decision nothing passes: this process stood still, or nobody could decide again. */
const decisionMsMax = 4_000;

/**
 * Passes the handshake on, with the fields any request would have, and joins both sides until one
 * ends or the decision no longer holds.
 */
export async function tunnel(
  handshake: Handshake,
  deps: { readonly assertions: AssertionSigner },
): Promise<Tunnelled> {
  const { allowed, req, socket, requestId, span } = handshake;
  const { route } = allowed;
  const backend = route.backends.pick(new Set());
  if (backend === null) throw new Fault('backend_unreachable', 'no backend');
  const assertion = await assertionFor(allowed, deps.assertions);
  // Loaded with the first handshake: most gateways see none.
  const { default: httpProxy } = await import('http-proxy');
  if (socket.destroyed) return { status: 0, bytesIn: 0, bytesOut: 0, backendMs: 0 };
  // The proxy reads `headers`, not the raw ones, and fires no hook in which they could be cleaned later.
  req.headers = fieldsObject(backendFields(allowed, backend, requestId, assertion, span));
  req.headers.connection = 'Upgrade';
  req.headers.upgrade = 'websocket';
  req.url = backendTarget(allowed);
  let decidedMs = performance.now();
  const recheck = setInterval(() => {
    const beganMs = performance.now();
    void handshake.stillAllowed().then((still) => {
      if (still) decidedMs = Math.max(decidedMs, beganMs);
      else socket.destroy();
    });
  }, recheckMs);
  recheck.unref();
  const isDecided = (): boolean => performance.now() - decidedMs <= decisionMsMax;
  try {
    return await join(handshake, backend, isDecided, httpProxy.createProxyServer);
  } finally {
    clearInterval(recheck);
  }
}

function join(
  handshake: Handshake,
  backend: Backend,
  isDecided: () => boolean,
  createProxy: typeof createProxyServer,
): Promise<Tunnelled> {
  const { allowed, req, socket, firstBytes } = handshake;
  const { route } = allowed;
  const startedMs = performance.now();
  const seen = { status: 0, bytesIn: 0, bytesOut: 0, backendMs: 0 };
  const proxy = createProxy({
    target: targetOf(backend),
    ...(backend.scheme === 'https' ? { agent: tlsAgent(backend, route) } : {}),
  });
  const giveBack = attend(socket);
  const fail = (error: Error): void => {
    const fault = toFault(error, backend.origin);
    if (fault.code === 'backend_unreachable') route.backends.failed(backend);
    // Behind an answer nothing can be said any more.
    if (seen.status === 0 && !socket.destroyed) handshake.failed(fault);
    else socket.destroy();
  };
  // Without a listener the proxy throws what happens to the client's socket at the process.
  proxy.on('error', () => socket.destroy());
  proxy.on('open', (upstream: Socket) => {
    const cut = (): void => {
      upstream.destroy();
      socket.destroy();
    };
    // In front of what passes it on, which writes to nobody then.
    upstream.prependListener('data', (chunk: Buffer) =>
      isDecided() ? (seen.bytesOut += chunk.length) : cut(),
    );
    socket.prependListener('data', (chunk: Buffer) => (isDecided() ? (seen.bytesIn += chunk.length) : cut()));
  });
  proxy.on('proxyReqWs', (outgoing) => {
    attendAnswer(outgoing, socket, route.backends.headMs, (answer) => {
      seen.backendMs = performance.now() - startedMs;
      route.backends.answered(backend);
      if (answer.statusCode === 101) seen.status = 101;
      else passAnswer(handshake, backend, answer, seen, fail);
    });
    outgoing.once('upgrade', giveBack);
  });
  return new Promise((resolve) => {
    socket.once('close', () => {
      proxy.close();
      resolve(seen);
    });
    proxy.ws(req, socket, firstBytes, {}, fail);
  });
}

/** Hears of the backend's answer, or that there is none in time; a client that leaves before leaves no request behind. */
function attendAnswer(
  outgoing: ClientRequest,
  socket: Duplex,
  headMs: number,
  answered: (answer: IncomingMessage) => void,
): void {
  const late = setTimeout(() => outgoing.destroy(new HandshakeTimeout()), headMs);
  outgoing.once('close', () => clearTimeout(late));
  socket.once('close', () => outgoing.destroy());
  const hear = (answer: IncomingMessage): void => {
    clearTimeout(late);
    answered(answer);
  };
  outgoing.once('upgrade', hear);
  // In place of the proxy's own listener, which is not there yet, and which passes on whatever came.
  process.nextTick(() => outgoing.removeAllListeners('response').once('response', hear));
}

/** Passes on an answer that opens no tunnel as one to any other request, and ends the client's connection behind it. */
function passAnswer(
  handshake: Handshake,
  backend: Backend,
  answer: IncomingMessage,
  seen: { status: number; bytesOut: number },
  fail: (error: Error) => void,
): void {
  const { allowed, req, socket } = handshake;
  const { route } = allowed;
  const { statusCode: status = 0, headersDistinct } = answer;
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  try {
    const known = {
      status,
      headers: headersDistinct,
      authenticatesItself: route.config.backendAuth.kind !== 'none',
    };
    const head = answerHead(known, backend.origin, responseAddresses(allowed, backend));
    res.writeHead(status, answer.statusMessage ?? '', head.fields);
  } catch (error) {
    answer.destroy();
    fail(error as Error);
    return;
  }
  seen.status = status;
  answer.on('data', (chunk: Buffer) => (seen.bytesOut += chunk.length));
  res.assignSocket(socket as Socket);
  // Without an end of the answer there is none for the client: its connection is cut.
  pipeline(answer, res, (error) => {
    if (error) socket.destroy();
    else (socket as Socket).destroySoon();
  });
}

/** What a client may send before the backend's answer; none sends any. */
const earlyBytesMax = 65_536;

/**
 * Reads from the client as long as there is no tunnel: its leaving would go unnoticed otherwise, and the
 * request stay at the backend. What it sends goes back into the socket when the returned function is called.
 */
function attend(socket: Duplex): () => void {
  const early: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    early.push(chunk);
    bytes += chunk.length;
    if (bytes > earlyBytesMax) socket.destroy();
  };
  const onEnd = (): void => void socket.destroy();
  socket.on('data', onData).once('end', onEnd);
  return () => {
    socket.off('data', onData).off('end', onEnd).pause();
    if (bytes > 0) socket.unshift(Buffer.concat(early));
  };
}

function targetOf({ origin, authority, socketPath }: Backend): ProxyTarget {
  return socketPath === null ? origin : { protocol: 'http:', host: authority, port: 80, socketPath };
}

/** Only what an agent says of TLS is heeded: the proxy passes no authority on, and Node asks for the Host's name. */
function tlsAgent(backend: Backend, route: Allowed['route']): Agent {
  return new Agent({ servername: backend.tlsName, ...tlsOptions(route.config) });
}

class HandshakeTimeout extends Error {
  readonly code = 'HANDSHAKE_TIMEOUT';
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
