import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Knows the bytes in which requests arrived. */
export interface RequestLines {
  /** Begins to watch a connection; to be called once, as it opens. */
  watch(socket: Socket): void;
  /**
   * Whether the request's first line stood on the wire exactly as RFC 9112 section 3 wants it: one
   * space between method, target and version, CRLF behind. To be asked as the request is reported.
   */
  isExact(req: IncomingMessage): boolean;
}

/** What is kept of a connection: the chunks in which the next request line must be. */
interface Seen {
  chunks: Buffer[];
  bytes: number;
  /** The request whose body is still arriving, if any. */
  current: IncomingMessage | null;
}

/** A request head is no longer than this; what is older cannot hold the next line. */
const keptBytesMax = 65_536;

/**
 * Node's parser takes several spaces, which other readers of the same bytes split differently, and
 * hides that it did. So the bytes themselves are looked at, before the parser has them.
 */
export function createRequestLines(): RequestLines {
  const connections = new WeakMap<Socket, Seen>();
  return {
    watch(socket) {
      const seen: Seen = { chunks: [], bytes: 0, current: null };
      connections.set(socket, seen);
      // A listener of our own makes the server hand chunks to its parser through JavaScript.
      socket.prependListener('data', (chunk: Buffer) => {
        const inBody = seen.current !== null && !seen.current.complete;
        if (inBody || seen.bytes > keptBytesMax) {
          seen.chunks = [chunk];
          seen.bytes = chunk.length;
        } else {
          seen.chunks.push(chunk);
          seen.bytes += chunk.length;
        }
      });
    },
    isExact(req) {
      const seen = connections.get(req.socket);
      if (seen === undefined) return false;
      const before = seen.current;
      seen.current = req;
      const line = `${req.method} ${req.url} HTTP/${req.httpVersion}\r\n`;
      const last = seen.chunks.at(-1);
      if (last === undefined) return false;
      // Mostly a chunk begins with the line; what came in the one before must then have ended with a line, too.
      const first = last.toString('latin1', 0, line.length) === line;
      const exact =
        (first && seen.chunks.length === 1) ||
        holdsLine(Buffer.concat(seen.chunks), line, hadStatedLength(before));
      seen.chunks = [last];
      seen.bytes = last.length;
      return exact;
    },
  };
}

/** Only a body of stated length ends without a line break of its own. */
function hadStatedLength(req: IncomingMessage | null): boolean {
  return (
    req !== null && req.rawHeaders.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-length')
  );
}

/** Whether the line stands in these bytes, behind another or at their start: not as a part of a field's value. */
function holdsLine(bytes: Buffer, line: string, behindBody: boolean): boolean {
  for (let at = bytes.indexOf(line, 0, 'latin1'); at !== -1; at = bytes.indexOf(line, at + 1, 'latin1')) {
    if (at === 0 || bytes[at - 1] === 0x0a || behindBody) return true;
  }
  return false;
}
