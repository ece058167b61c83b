import type { IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { createProxyServer } from 'http-proxy';
import { Fault } from '../core/errors.ts';
import type { AssertionSigner } from './assertion.ts';
import { backendFields } from './backend-request.ts';
import type { Backend } from './backends.ts';
import type { Allowed } from './decide.ts';

/** A handshake that was allowed, and the socket it came over. */
export interface Handshake {
  readonly allowed: Allowed;
  readonly req: IncomingMessage;
  /** Has an error listener. */
  readonly socket: Duplex;
  /** What the client sent behind its handshake. */
  readonly firstBytes: Buffer;
  readonly requestId: string;
  /** Whether the same request would be allowed now. Never rejects. */
  stillAllowed(): Promise<boolean>;
  /** Answers in place of a backend that did not; called at most once, and nothing is written after it. */
  failed(fault: Fault): void;
}

/** How often an open tunnel is decided again, so that a revoked token loses it within the promise. */
const recheckMs = 2_000;

/**
 * Passes the handshake on, with the fields any request would have, and joins both sides until one
 * ends or the decision no longer holds. Resolves when the client's socket is closed, to the status
 * of the backend's answer: 101 where there was a tunnel, 0 where there was no answer.
 */
export async function tunnel(
  handshake: Handshake,
  deps: { readonly assertions: AssertionSigner },
): Promise<number> {
  const { allowed, req, socket, requestId } = handshake;
  const { route, head } = allowed;
  const backend = route.backends.pick(new Set());
  if (backend === null) throw new Fault('backend_unreachable', 'no backend');
  const { assertion: assertionHeader } = route.config.identity;
  const assertion =
    assertionHeader === null ? null : await deps.assertions.sign(allowed.principal, route.name);
  // Loaded with the first handshake: most gateways see none.
  const { default: httpProxy } = await import('http-proxy');
  if (socket.destroyed) return 0;
  // The proxy reads `headers`, not the raw ones, and fires no hook in which they could be cleaned later.
  req.headers = fieldsObject(backendFields(allowed, backend, requestId, assertion));
  req.headers.connection = 'Upgrade';
  req.headers.upgrade = 'websocket';
  req.url = allowed.query === '' ? head.rawPath : `${head.rawPath}?${allowed.query}`;
  const recheck = setInterval(() => {
    void handshake.stillAllowed().then((still) => still || socket.destroy());
  }, recheckMs);
  recheck.unref();
  try {
    return await join(handshake, backend, route, httpProxy.createProxyServer);
  } finally {
    clearInterval(recheck);
  }
}

function join(
  handshake: Handshake,
  backend: Backend,
  route: Allowed['route'],
  createProxy: typeof createProxyServer,
): Promise<number> {
  const { req, socket, firstBytes } = handshake;
  const proxy = createProxy({
    target: backend.origin,
    ...(backend.origin.startsWith('https:') ? { agent: tlsAgent(backend, route) } : {}),
  });
  let status = 0;
  const giveBack = attend(socket);
  // Without a listener the proxy throws what happens to the client's socket at the process.
  proxy.on('error', () => socket.destroy());
  proxy.on('proxyReqWs', (outgoing) => {
    const late = setTimeout(() => outgoing.destroy(new HandshakeTimeout()), route.backends.headMs);
    const answered = ({ statusCode = 0 }: IncomingMessage): void => {
      clearTimeout(late);
      status = statusCode;
    };
    outgoing.once('upgrade', answered).once('response', answered);
    outgoing.once('upgrade', giveBack);
    outgoing.once('close', () => clearTimeout(late));
    // A client that leaves before the answer leaves no request behind.
    socket.once('close', () => outgoing.destroy());
  });
  return new Promise((resolve) => {
    socket.once('close', () => {
      proxy.close();
      resolve(status);
    });
    proxy.ws(req, socket, firstBytes, {}, (error: Error) => {
      // Behind an answer nothing can be said any more, and the proxy ends the socket after this callback.
      if (status === 0 && !socket.destroyed) handshake.failed(asFault(error));
    });
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

/** Only what an agent says of TLS is heeded: the proxy passes no authority on, and Node asks for the Host's name. */
function tlsAgent(backend: Backend, route: Allowed['route']): Agent {
  const { backendCa } = route.config;
  return new Agent({ servername: backend.tlsName, ...(backendCa === null ? {} : { ca: backendCa }) });
}

function asFault(error: Error): Fault {
  return error instanceof HandshakeTimeout
    ? new Fault('backend_timeout', 'the backend did not answer the handshake in time', error)
    : new Fault('backend_unreachable', 'the backend did not take the WebSocket', error);
}

class HandshakeTimeout extends Error {}

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
