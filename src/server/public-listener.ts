import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TlsPair } from '../config/listen-config.ts';
import type { Duplex } from 'node:stream';
import type { WireHints } from '../gateway/client-exchange.ts';
import { serve } from '../gateway/pipeline.ts';
import { headBytesMax } from '../gateway/read-head.ts';
import { isWebSocketHandshake, upgrade } from '../gateway/upgrade.ts';
import { type ArrivalsDeps, createArrivals } from './arrivals.ts';
import { drainListener } from './drain.ts';
import { createLane } from './lane/lane.ts';
import { listenAt, type ListenPlace } from './listen-at.ts';
import { LeanRequest } from './lean-request.ts';
import { createPipelinedResponses } from './pipelined-responses.ts';
import { createRequestLines } from './request-line.ts';
import { createRequests, type RequestsDeps, sameWire } from './requests.ts';
import { createUnparsedRefusals, responseOn } from './unparsed.ts';
import { watchForVersionlessLine } from './versionless-line.ts';

/** What the public listener needs. */
export interface PublicListenerDeps
  extends RequestsDeps,
    Pick<ArrivalsDeps, 'connections' | 'tls' | 'handshakeFailed' | 'isUnix' | 'proxies'> {
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
  const lines = createRequestLines();
  const responses = createPipelinedResponses();
  const requests = createRequests(deps);
  const lane = createLane({
    limits: deps,
    serve: (req, res) => void serve(req, res, plainHints, deps.pipeline()),
    declines: (target) => !requests.isForPipeline(target),
    isEnding: (socket) => deps.pipeline().ending.has(socket),
    handOver: takeConnections(server, [lines, responses], deps),
  });
  const arrivals = createArrivals({
    connections: deps.connections,
    tls: deps.tls,
    isUnix: deps.isUnix,
    proxies: deps.proxies,
    handshakeFailed: () => deps.handshakeFailed(),
    requests,
    enterHttp1: (socket) => lane.enter(socket),
    limits: deps,
  });
  let isLeaving = false;
  server.on('connection', (socket) => arrivals.enter(socket));
  const take = (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void => {
    // Told a turn after its connection closed: whoever listened while it was read may have left by then.
    req.on('error', () => undefined);
    responses.add(res, req.socket);
    const hints = {
      sendContinue: awaitsContinue ? () => res.writeContinue() : null,
      exactLine: lines.isExact(req),
    };
    // Node's parser loses what stood behind such a request in one packet, and takes up in the middle of what follows.
    const isLast = declined.has(req);
    if (isLast || isLeaving) res.shouldKeepAlive = false;
    requests.take(req, res, hints, sameWire(req, res));
    if (isLast) deps.pipeline().ending.add(req.socket);
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
    useCertificate: (pair) => arrivals.useCertificate(pair),
    drain(graceMs, lingerMs = 0) {
      isLeaving = true;
      return drainListener({ server, lane, tunnels, arrivals }, graceMs, lingerMs);
    },
  };
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
