import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ListenTlsConfig, TlsPair } from '../config/listen-config.ts';
import type { Duplex } from 'node:stream';
import type { WireHints } from '../gateway/client-exchange.ts';
import { type PipelineDeps, serve } from '../gateway/pipeline.ts';
import { headBytesMax } from '../gateway/read-head.ts';
import { isWebSocketHandshake, upgrade } from '../gateway/upgrade.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { drainListener } from './drain.ts';
import { createLane, type Lane } from './lane/lane.ts';
import { listenAt, type ListenPlace } from './listen-at.ts';
import { LeanRequest } from './lean-request.ts';
import { isOwnTarget, type OwnPages, serveOwnPage } from './own-pages.ts';
import { createPipelinedResponses } from './pipelined-responses.ts';
import { createRequestLines } from './request-line.ts';
import { createTlsEntrance, type TlsEntrance } from './tls-entrance.ts';
import { createUnparsedRefusals, responseOn } from './unparsed.ts';
import { watchForVersionlessLine } from './versionless-line.ts';

/** What the public listener needs. */
export interface PublicListenerDeps {
  /** The pipeline in force; asked for every request, so that a reload needs no new listener. */
  pipeline(): PipelineDeps;
  /** The public keys of assertions as JSON; null while no route sends any. */
  assertionKeys(): string | null;
  /** The gateway's own pages; null where there are none, and their addresses are the routes'. */
  readonly ownPages: OwnPages | null;
  readonly connections: Pick<ConnectionLimits, 'admit'>;
  /** Null: plain HTTP. */
  readonly tls: ListenTlsConfig | null;
  /** Hears of each TLS handshake that came to nothing. */
  handshakeFailed(): void;
  /** These three are read anew for each connection, and while it is in the lane, so that a reload applies. */
  readonly headMs: number;
  readonly keepAliveMs: number;
  /** How long an answer may wait for its reader. */
  readonly idleMs: number;
}

/** The door that clients knock at. */
export interface PublicListener {
  /** Resolves to the port once it is open. Rejects with the system's error (EADDRINUSE, EACCES …). */
  listen(place: ListenPlace): Promise<number>;
  /** Shows another certificate from the next handshake on; only where there is TLS. */
  useCertificate(pair: TlsPair): void;
  /** See `drainListener`; `lingerMs` is 0 by default. */
  drain(graceMs: number, lingerMs?: number): Promise<void>;
}

/** Where backends fetch the keys of assertions (RFC 8615). */
const assertionKeysTarget = '/.well-known/jwks.json';

/** Builds the listener around `serve()`. */
export function createPublicListener(deps: PublicListenerDeps): PublicListener {
  const declined = new WeakSet<IncomingMessage>();
  const server = createServer({
    maxHeaderSize: headBytesMax,
    headersTimeout: deps.headMs,
    // Bodies have progress deadlines of their own; a total would end long uploads.
    requestTimeout: 0,
    // So often that a crowd that came within a second is not cut in one go, in which nobody else is answered.
    connectionsCheckingInterval: Math.min(deps.headMs / 4, 100),
    keepAliveTimeout: deps.keepAliveMs,
    noDelay: true,
    shouldUpgradeCallback(req) {
      const isTunnel = isWebSocketHandshake(req);
      if (!isTunnel) declined.add(req);
      return isTunnel;
    },
    // A request without length and coding has no body (RFC 9112 section 6.3): nothing to read to its end.
    optimizeEmptyRequests: true,
    // The reader refuses a missing Host itself, from the raw fields.
    requireHostHeader: false,
    IncomingMessage: LeanRequest,
  });
  // Well above the reader's cap (`fieldsMax`), so that it refuses with a reason what Node would otherwise cut.
  server.maxHeadersCount = 201;
  // Nothing moved: the client asks nothing more, or does not read its answer. Else we wait for the backend.
  server.on('timeout', (socket) => {
    if (responseOn(socket) === null || socket.writableLength > 0) socket.destroy();
  });
  const { ownPages } = deps;
  const isOwn = (target: string | undefined): boolean =>
    ownPages !== null && target !== undefined && isOwnTarget(target);
  const lines = createRequestLines();
  const responses = createPipelinedResponses();
  const lane = createLane({
    limits: deps,
    serve: (req, res) => void serve(req, res, plainHints, deps.pipeline()),
    declines: (target) => target === assertionKeysTarget || isOwn(target),
    isEnding: (socket) => deps.pipeline().ending.has(socket),
    handOver: takeConnections(server, [lines, responses], deps),
  });
  const entrance = deps.tls === null ? null : openEntrance(deps.tls, lane, deps);
  server.on('connection', (socket) => {
    if (deps.connections.admit(socket)) (entrance ?? lane).enter(socket);
  });
  let isLeaving = false;
  const take = (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void => {
    // Told a turn after its connection closed: whoever listened while it was read may have left by then.
    req.on('error', () => undefined);
    responses.add(res, req.socket);
    const keys = req.url === assertionKeysTarget ? deps.assertionKeys() : null;
    const hint = {
      sendContinue: awaitsContinue ? () => res.writeContinue() : null,
      exactLine: lines.isExact(req),
    };
    const pipeline = deps.pipeline();
    // Node's parser loses what stood behind such a request in one packet, and takes up in the middle of what follows.
    const isLast = declined.has(req);
    if (isLast || isLeaving) res.shouldKeepAlive = false;
    if (keys !== null) sendKeys(req, res, keys);
    else if (ownPages !== null && isOwn(req.url)) serveOwnPage(req, res, hint, ownPages, pipeline);
    else void serve(req, res, hint, pipeline);
    if (isLast) pipeline.ending.add(req.socket);
  };
  server.on('request', (req, res) => take(req, res, false));
  server.on('checkContinue', (req, res) => take(req, res, true));
  // What it expects is refused by the reader, with everything else that is wrong.
  server.on('checkExpectation', (req, res) => take(req, res, false));
  const tunnels = new Set<Duplex>();
  server.on('upgrade', (req, socket, head) => {
    tunnels.add(socket);
    socket.once('close', () => tunnels.delete(socket)).on('error', () => socket.destroy());
    // A tunnel cannot open before the answers to requests pipelined before it are out.
    if (responseOn(socket) !== null) socket.destroy();
    else void upgrade(req, socket, head, lines.isExact(req), () => deps.pipeline());
  });
  const { refuseConnect, refuseBytes } = createUnparsedRefusals(() => deps.pipeline());
  server.on('connect', refuseConnect);
  server.on('clientError', refuseBytes);
  return {
    listen: (place) => listenAt(server, place),
    useCertificate: (pair) => entrance?.use(pair),
    drain(graceMs, lingerMs = 0) {
      isLeaving = true;
      return drainListener(
        { server, lane, tunnels, startDraining: () => entrance?.startDraining() },
        graceMs,
        lingerMs,
      );
    },
  };
}

function openEntrance(
  tls: ListenTlsConfig,
  lane: Lane,
  deps: Pick<PublicListenerDeps, 'headMs' | 'handshakeFailed'>,
): TlsEntrance {
  return createTlsEntrance({
    pair: tls,
    http2: tls.http2,
    handshakeMs: () => deps.headMs,
    entered: (socket) => lane.enter(socket),
    failed: deps.handshakeFailed,
  });
}

/** What is read in the lane was read by its exact line, and never waits for 100 (Continue). */
const plainHints: WireHints = { sendContinue: null, exactLine: true };

/**
 * Connections no longer begin at the server's own parser; the returned function brings them there, with the
 * bytes that were read before.
 */
function takeConnections(
  server: Server,
  watchers: readonly { watch(socket: Socket): void }[],
  deps: Pick<PublicListenerDeps, 'headMs' | 'keepAliveMs' | 'idleMs' | 'pipeline'>,
): (socket: Socket, bytes: Buffer) => void {
  const [parse] = server.listeners('connection') as ((socket: Socket) => void)[];
  assert.ok(parse, 'node:http listens for its connections');
  server.off('connection', parse);
  return (socket, bytes) => {
    server.headersTimeout = deps.headMs;
    server.keepAliveTimeout = deps.keepAliveMs;
    server.timeout = Math.max(deps.idleMs, deps.headMs);
    parse.call(server, socket);
    for (const watcher of watchers) watcher.watch(socket);
    watchForVersionlessLine(socket, () => {
      deps.pipeline().ending.add(socket);
      server.emit('clientError', new Error('a request line without a version'), socket);
    });
    socket.resume();
    socket.emit('data', bytes);
  };
}

/** Public knowledge: nothing of the request is read but its method. */
function sendKeys(req: IncomingMessage, res: ServerResponse, keys: string): void {
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  res.writeHead(isRead ? 200 : 405, {
    'Content-Type': 'application/jwk-set+json',
    'Content-Length': isRead ? Buffer.byteLength(keys) : 0,
    ...(isRead ? { 'Cache-Control': 'public, max-age=300' } : { Allow: 'GET, HEAD' }),
  });
  res.end(isRead && req.method === 'GET' ? keys : undefined);
}
