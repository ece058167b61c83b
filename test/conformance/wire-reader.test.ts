import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { MessageReader } from '../support/http-message.ts';
import type { HttpMessage } from '../support/http-message.ts';
import { head, openRaw } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';

interface Read {
  readonly messages: readonly HttpMessage[];
  readonly violation: string | null;
}

function read(kind: 'request' | 'response', pieces: readonly string[]): Read {
  const messages: HttpMessage[] = [];
  let violation: string | null = null;
  const reader = new MessageReader(kind, {
    message: (message) => void messages.push(message),
    violation: (reason) => {
      violation = reason;
    },
  });
  for (const piece of pieces) reader.push(Buffer.from(piece, 'latin1'));
  return { messages, violation };
}

/** The reader decides what the other tests call one well-framed request, so it is tested itself. */
describe('the reader that judges what is on the wire', () => {
  const chunked =
    'PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: 1\r\n\r\n';
  const sized = 'PUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello';

  test('reads pipelined requests alike in one piece and byte by byte', () => {
    const whole = read('request', [chunked + sized]);
    const bytewise = read('request', (chunked + sized).split(''));
    assert.deepEqual(bytewise, whole);
    assert.deepEqual(
      whole.messages.map(({ startLine, body, trailers, framing }) => [
        startLine,
        body.toString(),
        trailers,
        framing,
      ]),
      [
        ['PUT /a HTTP/1.1', 'abcde', 'X: 1\r\n', 'chunked'],
        ['PUT /b HTTP/1.1', 'hello', '', 'length'],
      ],
    );
  });

  const ambiguous: Readonly<Record<string, string>> = {
    'two lengths': 'PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    'a length and a coding': 'PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'a signed length': 'PUT / HTTP/1.1\r\nContent-Length: +1\r\n\r\n',
    'a length with leading zeros': 'PUT / HTTP/1.1\r\nContent-Length: 01\r\n\r\n',
    'an unknown coding': 'PUT / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n',
    'a chunk extension': 'PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\n',
    'a chunk that is longer than its size': 'PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc',
    'a folded field': 'PUT / HTTP/1.1\r\nA: b\r\n c\r\n\r\n',
    'a bare LF': 'PUT / HTTP/1.1\r\nA: b\nC: d\r\n\r\n',
    'a space in the target': 'PUT /a b HTTP/1.1\r\n\r\n',
    'a space before the colon': 'PUT / HTTP/1.1\r\nA : b\r\n\r\n',
  };
  for (const [what, text] of Object.entries(ambiguous)) {
    test(`refuses ${what}`, () => {
      const { messages, violation } = read('request', [text]);
      assert.notEqual(violation, null);
      assert.deepEqual(messages, []);
    });
  }

  test('catches the second request that a naive proxy lets through', async () => {
    const backend = await startRecordingBackend();
    // Strips Transfer-Encoding as hop-by-hop and pipes the body: on DELETE it goes out without framing.
    const naive = createServer((req, res) => {
      const { 'transfer-encoding': _, ...headers } = req.headers;
      const { method, url: path } = req;
      const outgoing = request({ host: '127.0.0.1', port: backend.port, method, path, headers }, (answer) => {
        answer.pipe(res);
      });
      outgoing.on('error', () => res.destroy());
      req.pipe(outgoing);
    });
    naive.listen(0, '127.0.0.1');
    await once(naive, 'listening');
    try {
      const body = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
      const raw = await openRaw((naive.address() as AddressInfo).port);
      await raw.send(
        `${head('DELETE', '/a', ['Transfer-Encoding: chunked'])}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      );
      const smuggled = await eventually('the second request', () => backend.requests[1]);
      assert.equal(smuggled.target, '/smuggled');
      raw.destroy();
    } finally {
      naive.closeAllConnections();
      naive.close();
      await backend.close();
    }
  });
});
