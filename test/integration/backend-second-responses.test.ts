import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { head, openRaw } from '../support/raw-client.ts';
import {
  ask,
  assertEachGetsTheirs,
  moments,
  names,
  right,
  second,
  startFour,
} from './second-responses-fixture.ts';

describe('a second response to one request', () => {
  for (const [when, message] of moments) {
    test(`${when} reaches no other token's client, in 400 exchanges of four`, (t) =>
      assertEachGetsTheirs(t, message, 100));
  }

  for (const [what, method, answer] of [
    ['HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['204', 'DELETE', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
    [
      '102 and 103',
      'GET',
      'HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ],
    ['chunks', 'GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: a\r\n\r\n'],
    ['nothing', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ] as const) {
    for (const afterMs of [0, 1]) {
      test(`behind ${what}, ${afterMs === 0 ? 'at once' : '1 ms later'}, reaches no other token's client`, async (t) => {
        const { port, backend } = await startFour(t);
        backend.answerWith({
          message(request, socket) {
            if (!request.target.startsWith('/dav/alice/')) socket.write(right(request));
            else if (afterMs === 0) socket.write(answer + second(request).toString('latin1'));
            else {
              socket.write(answer);
              setTimeout(() => socket.destroyed || socket.write(second(request)), afterMs);
            }
          },
        });
        const [alice, bob] = [await openRaw(port), await openRaw(port)];
        for (let count = 0; count < 50; count++) {
          const first = await ask(alice, method, 'alice', `/dav/alice/${count}`);
          assert.match(first, /^(200|204|304) (SECOND \/dav\/alice\/|$)/);
          const said = await ask(bob, 'GET', 'bob', `/dav/bob/${count}`);
          assert.equal(said, `200 right /dav/bob/${count}`);
        }
        alice.destroy();
        bob.destroy();
      });
    }
  }

  test('to a request that its client gave up reaches nobody', async (t) => {
    const { port, backend } = await startFour(t);
    const bob = await openRaw(port);
    for (let count = 0; count < 50; count++) {
      backend.answerWith({});
      const arrived = backend.nextRequest();
      const alice = await openRaw(port);
      await alice.send(head('GET', `/dav/alice/${count}`, ['Authorization: Bearer alice']));
      const request = await arrived;
      request.connection.socket.write(Buffer.concat([right(request), second(request)]));
      alice.socket.resetAndDestroy();
      backend.answerWith({ message: (next, socket) => void socket.write(right(next)) });
      assert.equal(await ask(bob, 'GET', 'bob', `/dav/bob/${count}`), `200 right /dav/bob/${count}`);
    }
    bob.destroy();
  });

  test('has the backend mistrusted: each request gets a new connection then, and none is kept', async (t) => {
    const { port, backend } = await startFour(t);
    backend.answerWith({ message: moments[1]?.[1] ?? (() => undefined) });
    const raw = await openRaw(port);
    await ask(raw, 'GET', 'alice', '/dav/alice/0');
    const [found] = backend.connections;
    await found?.closed;
    backend.forget();
    backend.answerWith({ message: (request, socket) => void socket.write(right(request)) });
    for (let count = 0; count < 5; count++) await ask(raw, 'GET', 'alice', `/dav/alice/${count}`);
    assert.equal(backend.connections.length, 5);
    assert.ok(backend.requests.every(({ head: sent }) => /^connection: close$/im.test(sent)));
    await eventually('the closes', () => backend.connections.every(({ socket }) => socket.destroyed));
    raw.destroy();
  });
});

describe('kept connections', () => {
  test('give way to new ones where all that are allowed were just used by others, and every answer is right', async (t) => {
    const { port, backend } = await startFour(t);
    backend.answerWith({ message: (request, socket) => void socket.write(right(request)) });
    const raws = await Promise.all(names.map(() => openRaw(port)));
    for (let round = 0; round < 50; round++) {
      const asked = names.map((_, at) => names[(at + round) % names.length] as string);
      const said = await Promise.all(
        raws.map((raw, at) => ask(raw, 'GET', asked[at] as string, `/dav/${asked[at]}/${round}`)),
      );
      assert.deepEqual(
        said,
        asked.map((name) => `200 right /dav/${name}/${round}`),
      );
      const openNow = backend.connections.filter(({ socket }) => !socket.destroyed).length;
      assert.ok(openNow <= 8, `${openNow} connections`);
    }
    for (const raw of raws) raw.destroy();
  });
});
