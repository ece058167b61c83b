import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exchange } from '../../support/raw-client.ts';
import { authorized, startListener } from '../server/listener-fixture.ts';

/** Response heads that must not reach a client, and what is wrong with them. */
const garbage: readonly (readonly [string, string])[] = [
  ['a control character in a field', 'HTTP/1.1 200 OK\r\nX: a\u0001b\r\nContent-Length: 0\r\n\r\n'],
  ['DEL in a field', 'HTTP/1.1 200 OK\r\nX: a\u007fb\r\nContent-Length: 0\r\n\r\n'],
  ['a control character in the reason', 'HTTP/1.1 200 O\u0001K\r\nContent-Length: 0\r\n\r\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 99 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'],
  ['no status', 'HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status of 000', 'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status of 099', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status of 600', 'HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status of 999', 'HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n'],
  ['another version', 'HTTP/3.7 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  [
    'frames of HTTP/2',
    '\0\0\u0012\u0004\0\0\0\0\0\0\u0003\0\0\0\u0080\0\u0004\0\u0001\0\0\0\u0005\0\u00ff\u00ff\u00ff',
  ],
  ['an alert of TLS', '\u0015\u0003\u0001\0\u0002\u0002\u0016'],
  ['a NUL in a field', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'],
  ['a field without a colon', 'HTTP/1.1 200 OK\r\nNo colon here\r\nContent-Length: 0\r\n\r\n'],
  ['a space before a colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
  ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello'],
  ['a length beyond all numbers', `HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\nhello`],
  ['two lengths in one field', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello'],
  ['one length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
  ['a coding beside chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['chunks beneath a coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n'],
  ['a coding and no chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello'],
  [
    'chunks twice',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'an upgrade that nobody asked for',
    'HTTP/1.1 101 Sure\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nhello',
  ],
  ['100 that nobody asked for', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['interim responses without end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_001)],
  ['a field without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`],
  ['fields without end', `HTTP/1.1 200 OK\r\n${'X: x\r\n'.repeat(35_000)}`],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello'],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
];

describe('a backend that answers with', () => {
  for (const [what, bytes] of garbage) {
    test(`${what} is answered 502 as garbage, and its connection is not used again`, async (t) => {
      const { port, backend, records } = await startListener(t);
      backend.answerWith({ message: (_, socket) => void socket.write(bytes, 'latin1') });
      for (let attempt = 0; attempt < 2; attempt++) {
        const answer = await exchange(port, 'GET', '/dav/a', [authorized]);
        assert.match(answer.startLine, / 502 /);
        assert.equal(records.at(-1)?.outcome, 'backend_garbage');
      }
      assert.equal(backend.connections.length, 2);
    });
  }
});
