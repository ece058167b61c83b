import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type ClientSideReader, plainAddress } from '../gateway/client-side.ts';
import type { ClientRequest, ClientResponse } from '../gateway/client-request.ts';
import { reasonPhrases } from '../gateway/reason-phrases.ts';
import { headBytesMax } from '../gateway/read-head.ts';
import { closeWith } from '../gateway/refusal.ts';
import type { DoorReply } from '../doors/door.ts';
import { drainListener } from './drain.ts';
import { createLane } from './lane/lane.ts';
import { listenAt, type ListenPlace } from './listen-at.ts';

/** What the listener of the doors needs. */
export interface DoorListenerDeps {
  /** Never rejects. */
  answer(request: ClientRequest): DoorReply | Promise<DoorReply>;
  /** Who may ask. */
  readonly trusted: Pick<ClientSideReader, 'trusts'>;
  /** Hears of a peer that may not. */
  turnedAway(address: string): void;
  /** Read anew for each connection. */
  readonly headMs: number;
  readonly idleMs: number;
}

/** Where other proxies ask. */
export interface DoorListener {
  /** Resolves to the port once it is open. Rejects with the system's error. */
  listen(place: ListenPlace): Promise<number>;
  /** See `drainListener`; `lingerMs` is 0 by default. */
  drain(graceMs: number, lingerMs?: number): Promise<void>;
}

/** Longer than the proxies keep theirs, so that none asks on a connection that is being closed. */
const keepAliveMs = 180_000;

const turnedAwayText = 'who may ask here stands in doors.trusted\n';
const forbidden = {
  status: 403,
  fields: ['Content-Type', 'text/plain', 'Content-Length', String(turnedAwayText.length)],
  body: turnedAwayText,
  close: true,
};

/**
 * Builds the listener. Of a peer that is not trusted nothing is read. Questions come through the same lane as clients'
 * plain requests; what is not plain is read by `node:http`.
 */
export function createDoorListener(deps: DoorListenerDeps): DoorListener {
  const ending = new WeakSet<Socket>();
  const serve = (req: ClientRequest, res: ClientResponse): void => {
    const reply = deps.answer(req);
    if (reply instanceof Promise) void reply.then((settled) => send(req, res, settled, ending));
    else send(req, res, reply, ending);
  };
  const server = createServer({
    maxHeaderSize: headBytesMax * 2,
    headersTimeout: deps.headMs,
    keepAliveTimeout: keepAliveMs,
    noDelay: true,
    requireHostHeader: false,
  });
  server.maxHeadersCount = 201;
  const [parse] = server.listeners('connection') as [(socket: Socket) => void];
  server.off('connection', parse);
  const lane = createLane({
    limits: { keepAliveMs, headMs: deps.headMs, idleMs: deps.idleMs },
    serve,
    declines: () => false,
    isEnding: (socket) => ending.has(socket),
    handOver(socket, bytes) {
      parse.call(server, socket);
      socket.resume();
      socket.emit('data', bytes);
    },
  });
  server.on('connection', (socket: Socket) => {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (deps.trusted.trusts(address)) return lane.enter(socket);
    deps.turnedAway(address);
    closeWith(socket, forbidden, null);
  });
  server.on('request', (req: IncomingMessage, res) => serve(req, res));
  return {
    listen: (place) => listenAt(server, place),
    drain: (graceMs, lingerMs = 0) =>
      drainListener({ server, lane, tunnels: new Set(), arrivals: null }, graceMs, lingerMs),
  };
}

/** Answers; behind a question that announced a body the connection ends, for nobody reads it. */
function send(
  req: ClientRequest,
  res: ClientResponse,
  { status, fields, body }: DoorReply,
  ending: WeakSet<object>,
): void {
  if (res.destroyed) return;
  const framed = [...fields, 'Content-Length', String(Buffer.byteLength(body))];
  if (req.complete || !announcesBody(req.rawHeaders)) {
    res.writeHead(status, reasonPhrases[status] ?? '', framed);
    res.end(req.method === 'HEAD' ? undefined : body);
    return;
  }
  ending.add(req.socket);
  const refusal = { status, fields: framed, body, close: true };
  if (res.socket === null) res.once('socket', (socket) => closeWith(socket, refusal, req));
  else closeWith(res.socket, refusal, req);
}

function announcesBody(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((name, at) => {
    if (at % 2 === 1) return false;
    const lower = name.toLowerCase();
    return lower === 'transfer-encoding' || (lower === 'content-length' && rawHeaders[at + 1] !== '0');
  });
}
