/** Bytes on a connection that the plain lane reads itself, without node:http. */
import assert from 'node:assert/strict';
import { type PlainHead, readPlainHead } from '../../src/server/lane/head.ts';
import { readByNode } from './judges/node-server.ts';

export const subjects: readonly string[] = ['server/lane/head.ts'];

export const words: readonly string[] = [
  ...[
    '\r\n',
    '\r\n\r\n',
    ' HTTP/1.1\r\n',
    'Host: gw\r\n',
    'Content-Length: 5\r\n',
    'Connection: close\r\n',
    'Connection: keep-alive\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Upgrade: h2c\r\n',
    'Expect: 100-continue\r\n',
    'X-a: b\r\n',
    '\r\n folded\r\n',
    'PROPFIND',
    'M-SEARCH',
  ],
  ...['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'HTTP/1.0', 'http://gw/', '0'],
];

export const bytesMax = 9_000;

const behind = Buffer.from('GET /behind HTTP/1.1\r\nHost: gw\r\n\r\n');
/** Longer bodies are not sent: that Node expects one as long is in its Content-Length. */
const sentBodyMax = 4_096;

/**
 * What is taken as plain, node:http's strict parser reads as the same method, target, version, fields and body, with the
 * next request right behind it, however the bytes are split; and it is taken as soon as it is there, not before.
 */
export async function fuzz(input: Buffer): Promise<void> {
  const head = readPlainHead(input);
  if (head === null) return;
  assertTakenWhole(input, head);
  const bytes = input.subarray(0, head.headBytes);
  assert.match(head.target, /^\/[!-~]*$/);
  assert.doesNotMatch(head.fields.join('\n'), /[^\t\n\x20-\x7e]/);
  const body = Buffer.alloc(Math.min(head.bodyBytes, sentBodyMax), '\n');
  // Behind a request that closes the connection Node takes nothing, and complains.
  const last = head.closes || head.bodyBytes > sentBodyMax;
  const sent = Buffer.concat([bytes, body, last ? Buffer.alloc(0) : behind]);
  for (const chunks of splits(sent)) assertReadAlike(head, await readByNode(chunks));
}

function assertTakenWhole(input: Buffer, head: PlainHead): void {
  const { headBytes } = head;
  assert.equal(input.toString('latin1', headBytes - 4, headBytes), '\r\n\r\n');
  for (let cut = 0; cut < headBytes; cut += Math.ceil(headBytes / 256)) {
    assert.equal(readPlainHead(input.subarray(0, cut)), null, 'nothing is taken before all of it is there');
  }
  assert.deepEqual(readPlainHead(input.subarray(0, headBytes)), head, 'what follows does not matter');
}

/** Whole, in two, and short ones byte by byte. */
function* splits(bytes: Buffer): Generator<readonly Buffer[]> {
  yield [bytes];
  const cut = bytes.reduce((sum, byte) => sum + byte, 0) % bytes.length;
  yield [bytes.subarray(0, cut), bytes.subarray(cut)];
  if (bytes.length <= 256) yield Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1));
}

function assertReadAlike(head: PlainHead, [first, second]: Awaited<ReturnType<typeof readByNode>>): void {
  // A body that was not sent whole keeps its request from ending.
  if (head.bodyBytes > sentBodyMax) return assert.equal(first, undefined);
  assert.ok(first !== undefined, 'node:http takes it');
  const { method, target, fields, bodyBytes, closes } = head;
  assert.deepEqual(first, {
    method,
    target,
    version: '1.1',
    rawHeaders: fields,
    bodyBytes,
    keepsConnection: !closes,
  });
  assert.equal(second?.target, closes ? undefined : '/behind', 'the next request begins where this one ends');
}
