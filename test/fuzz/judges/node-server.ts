import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';

/** A request as node:http reads it. */
export interface ReadRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly rawHeaders: readonly string[];
  readonly bodyBytes: number;
  readonly keepsConnection: boolean;
}

const server = createServer({ requireHostHeader: false, maxHeaderSize: 16_384, keepAliveTimeout: 0 });
server.maxHeadersCount = 0;
server.timeout = 0;

/** The requests that node:http's strict parser reads from a connection on which these chunks arrive, then its end. */
export function readByNode(chunks: readonly Buffer[]): Promise<readonly ReadRequest[]> {
  const seen: ReadRequest[] = [];
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const { promise, resolve } = Promise.withResolvers<readonly ReadRequest[]>();
  listeners.set(socket, (req) => {
    let bodyBytes = 0;
    req.on('data', (chunk: Buffer) => (bodyBytes += chunk.length));
    req.on('end', () => {
      const { method = '', url = '', httpVersion, rawHeaders } = req;
      const options = (req.headers.connection ?? '').toLowerCase().split(/[, ]+/);
      seen.push({
        method,
        target: url,
        version: httpVersion,
        rawHeaders,
        bodyBytes,
        keepsConnection: !options.includes('close'),
      });
    });
  });
  socket.once('close', () => resolve(seen));
  server.emit('connection', socket);
  for (const chunk of chunks) socket.push(chunk);
  socket.push(null);
  return promise;
}

const listeners = new WeakMap<object, (req: IncomingMessage) => void>();
server.on('request', (req, res) => {
  listeners.get(req.socket)?.(req);
  req.once('end', () => res.end());
});
server.on('clientError', (_error, socket) => socket.destroy());
