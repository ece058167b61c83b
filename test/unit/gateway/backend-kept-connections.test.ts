import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exchange } from '../../support/raw-client.ts';
import { replying } from '../../support/recording-backend.ts';
import type { Answer } from '../../support/recording-backend.ts';
import { authorized, startListener } from '../server/listener-fixture.ts';

/** How a server lets go of a connection over which it has answered before. */
const ends: readonly (readonly [string, NonNullable<Answer['head']>])[] = [
  ['closed', (_, socket) => void socket.end()],
  ['reset', (_, socket) => void socket.resetAndDestroy()],
];

/** Answers well but for the first request over a connection that has answered one before. */
function endingKept(end: NonNullable<Answer['head']>): Answer {
  const fine = replying(200, 'fine');
  return {
    message(request, socket) {
      if (request.connection.requests.length > 1) end(request, socket);
      else fine.message?.(request, socket);
    },
  };
}

describe('a kept connection', () => {
  for (const [what, end] of ends) {
    for (const [method, body] of [
      ['GET', ''],
      ['HEAD', ''],
      ['PUT', 'text'],
      ['DELETE', ''],
      ['PROPFIND', '<propfind xmlns="DAV:"/>'],
    ] as const) {
      test(`that is ${what} instead of answering has ${method} sent once more, over another`, async (t) => {
        const { port, backend, records } = await startListener(t);
        backend.answerWith(endingKept(end));
        assert.match((await exchange(port, 'GET', '/dav/a', [authorized])).startLine, / 200 /);
        assert.match((await exchange(port, method, '/dav/b', [authorized], body)).startLine, / 200 /);
        assert.deepEqual(
          backend.requests.map(({ target, body: sent }) => [target, sent.toString()]),
          [
            ['/dav/a', ''],
            ['/dav/b', body],
            ['/dav/b', body],
          ],
        );
        assert.equal(backend.connections.length, 2);
        assert.deepEqual(
          records.map(({ outcome }) => outcome),
          ['ok', 'ok'],
        );
      });
    }

    for (const [method, body] of [
      ['POST', 'text'],
      ['PATCH', 'text'],
      ['LOCK', '<lockinfo xmlns="DAV:"/>'],
      ['MKCOL', ''],
      // Too large to be kept: what was sent of it is gone.
      ['PUT', 'x'.repeat(100_000)],
    ] as const) {
      test(`that is ${what} instead of answering has ${method} of ${body.length} bytes answered 502 and not sent again`, async (t) => {
        const { port, backend, records } = await startListener(t);
        backend.answerWith(endingKept(end));
        assert.match((await exchange(port, 'GET', '/dav/a', [authorized])).startLine, / 200 /);
        assert.match((await exchange(port, method, '/dav/b', [authorized], body)).startLine, / 502 /);
        assert.equal(backend.requests.length, 2);
        assert.equal(records.at(-1)?.outcome, 'backend_reset');
      });
    }

    test(`that is ${what} in the middle of an answer has nothing sent again`, async (t) => {
      const { port, backend } = await startListener(t);
      backend.answerWith(
        endingKept((request, socket) => {
          socket.write('HTTP/1.1 200 OK\r\nContent-', () => setTimeout(() => end(request, socket), 20));
        }),
      );
      assert.match((await exchange(port, 'GET', '/dav/a', [authorized])).startLine, / 200 /);
      assert.match((await exchange(port, 'GET', '/dav/b', [authorized])).startLine, / 502 /);
      assert.equal(backend.requests.length, 2);
    });

    test(`that is ${what} instead of answering, twice, has nothing sent a third time`, async (t) => {
      const { port, backend } = await startListener(t);
      assert.match((await exchange(port, 'GET', '/dav/a', [authorized])).startLine, / 200 /);
      backend.answerWith({ message: end });
      assert.match((await exchange(port, 'GET', '/dav/b', [authorized])).startLine, / 502 /);
      assert.equal(backend.requests.length, 3);
    });

    test(`is not meant: a new one that is ${what} instead of answering has nothing sent again`, async (t) => {
      const { port, backend } = await startListener(t);
      backend.answerWith({ message: end });
      assert.match((await exchange(port, 'GET', '/dav/a', [authorized])).startLine, / 502 /);
      assert.equal(backend.requests.length, 1);
    });
  }
});
