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
