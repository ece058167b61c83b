/*
 * The backend of every measurement, on a bare socket so that it takes little of the core it shares with the load:
 * GET of `…/large` answers 16 MiB, any other GET 1 KiB; PUT swallows a body framed by Content-Length.
 * Usage: backend.ts PORT
 */
import { createServer, type Socket } from 'node:net';
import { transferBytes } from '../sizes.ts';

const chunk = Buffer.alloc(256 * 1024, 'x');
const head = (status: string, length: number): Buffer =>
  Buffer.from(
    `HTTP/1.1 ${status}\r\nContent-Type: application/octet-stream\r\nContent-Length: ${length}\r\n` +
      'ETag: "5a-6413d1"\r\nLast-Modified: Sat, 21 Nov 2026 20:00:00 GMT\r\n\r\n',
    'latin1',
  );
const small = Buffer.concat([head('200 OK', 1024), Buffer.alloc(1024, 'x')]);
const large = head('200 OK', transferBytes);
const created = head('201 Created', 0);

function serve(socket: Socket): void {
  let unread = '';
  let bodyLeft = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (data) => {
    let at = 0;
    if (bodyLeft > 0) {
      at = Math.min(bodyLeft, data.length);
      bodyLeft -= at;
      if (bodyLeft === 0) socket.write(created);
    }
    if (at === data.length) return;
    unread += data.toString('latin1', at);
    for (let end = unread.indexOf('\r\n\r\n'); end !== -1; end = unread.indexOf('\r\n\r\n')) {
      const request = unread.slice(0, end);
      unread = unread.slice(end + 4);
      if (!request.startsWith('PUT ')) {
        answer(socket, request);
        continue;
      }
      bodyLeft = Number(/\r\ncontent-length: *(\d+)/i.exec(request)?.[1]) - unread.length;
      unread = '';
      if (bodyLeft === 0) socket.write(created);
    }
  });
}

function answer(socket: Socket, request: string): void {
  if (!request.slice(0, request.indexOf('\r\n')).includes('/large ')) {
    socket.write(small);
    return;
  }
  socket.write(large);
  let left = transferBytes;
  const pour = (): void => {
    while (left > 0 && !socket.destroyed) {
      const piece = left < chunk.length ? chunk.subarray(0, left) : chunk;
      left -= piece.length;
      if (!socket.write(piece)) {
        socket.once('drain', pour);
        return;
      }
    }
  };
  pour();
}

createServer({ noDelay: true }, serve).listen(Number(process.argv[2]), '127.0.0.1');
