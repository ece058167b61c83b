import type { Socket } from 'node:net';

/** Longer first lines are left to the parser. */
const lookedAtBytesMax = 1_024;
const lineEnd = /[^\r\n]\r?\n/;
const versionless = /^(?:\r\n)*[A-Z-]+ [^ \r\n]+\r?\n/;

/**
 * Calls `found` once, as soon as the first line of what comes over this connection ends behind method and target. That is
 * a whole request of HTTP/0.9, behind which Node's parser would wait for fields until their time is over.
 */
export function watchForVersionlessLine(socket: Socket, found: () => void): void {
  let start = '';
  const look = (chunk: Buffer): void => {
    start += chunk.toString('latin1', 0, lookedAtBytesMax - start.length);
    if (!chunk.includes(0x0a) && start.length < lookedAtBytesMax) return;
    if (!lineEnd.test(start) && start.length < lookedAtBytesMax) return;
    socket.off('data', look);
    if (versionless.test(start)) found();
  };
  socket.prependListener('data', look);
}
