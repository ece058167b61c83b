import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { eventually, within } from '../../../support/eventually.ts';
import { exchange, head, openRaw } from '../../../support/raw-client.ts';
import { response } from '../../../support/recording-backend.ts';
import { authorized, startListener } from '../listener-fixture.ts';

/** Connection fields with which a request stays in the lane, and with which it takes its connection out of it. */
const ways: Readonly<Record<string, readonly string[]>> = {
  'in the lane': [],
  'beyond the lane': ['Connection: keep-alive, X-Nominated'],
};

for (const [way, fields] of Object.entries(ways)) {
  describe(`a connection ${way}`, () => {
    test('answers what is pipelined in its order, bodies between', async (t) => {
      const { port, backend } = await startListener(t);
      const raw = await openRaw(port);
      const put = `${head('PUT', '/dav/0', [authorized, ...fields, 'Content-Length: 5'])}hello`;
      const gets = Array.from({ length: 50 }, (_, at) =>
        head('GET', `/dav/${at + 1}`, [authorized, ...fields]),
      );
      await raw.send(put + gets.join('') + put);
      for (let answered = 0; answered < 52; answered++) {
        assert.match((await raw.nextResponse()).startLine, / 200 /);
      }
      await eventually('the backend has all', () => backend.requests.length === 52);
      const targets = new Set(backend.requests.map(({ target }) => target));
      assert.deepEqual(targets, new Set(Array.from({ length: 51 }, (_, at) => `/dav/${at}`)));
      assert.deepEqual(backend.violations, []);
      raw.destroy();
    });

    test('answers to its end what is pipelined behind a response that the client is slow to read', async (t) => {
      const { port, backend, faults } = await startListener(t);
      const large = 'x'.repeat(20_000_000);
      const held: (() => void)[] = [];
      backend.answerWith({
        message({ target }, socket) {
          if (target === '/dav/large') socket.write(response(200, large));
          else if (target === '/dav/held') held.push(() => socket.write(response(200, 'held')));
          else socket.write(response(200, 'other'));
        },
      });
      const raw = await openRaw(port);
      raw.socket.pause();
      const both = ['/dav/large', '/dav/held'].map((path) => head('GET', path, [authorized, ...fields]));
      await raw.send(both.join(''));
      await eventually('the backend is asked', () => backend.requests.length > 0);
      // Others are served until the first response has nowhere to go any more.
      for (let other = 0; other < 50; other++) await exchange(port, 'GET', '/dav/other', [authorized]);
      held.shift()?.();
      await exchange(port, 'GET', '/dav/other', [authorized]);
      raw.socket.resume();
      assert.equal((await raw.nextResponse(60_000)).body.length, large.length);
      // In the lane the second is asked for only now.
      if (fields.length === 0) {
        await eventually('the second comes behind the first', () => held.length === 1);
        held.shift()?.();
      }
      assert.equal((await raw.nextResponse()).body.toString(), 'held');
      assert.deepEqual(faults, []);
      raw.destroy();
    });

    test('passes a body on byte for byte, however it is cut', async (t) => {
      const { port, backend } = await startListener(t);
      const raw = await openRaw(port);
      const body = 'x'.repeat(40_000) + 'end';
      const bytes = head('PUT', '/dav/a', [authorized, ...fields, `Content-Length: ${body.length}`]) + body;
      for (let at = 0; at < bytes.length; at += 1_013) await raw.send(bytes.slice(at, at + 1_013));
      assert.match((await raw.nextResponse()).startLine, / 200 /);
      assert.equal(backend.requests[0]?.body.toString(), body);
      raw.destroy();
    });

    test('says that it stays, for how long, and when it answered', async (t) => {
      const { port } = await startListener(t);
      const raw = await openRaw(port);
      await raw.send(head('GET', '/dav/a', [authorized, ...fields]));
      const text = `${(await raw.nextResponse()).startLine}\n${raw.received().toString('latin1')}`;
      assert.match(text, /\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n/);
      assert.match(text, /\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
      raw.destroy();
    });

    test('closes behind the answer where the client asks for it', async (t) => {
      const { port, backend } = await startListener(t);
      const raw = await openRaw(port);
      const last = fields.length === 0 ? ['Connection: close'] : ['Connection: close, X-Nominated'];
      await raw.send(head('GET', '/dav/a', [authorized, ...last]) + head('GET', '/dav/b', [authorized]));
      assert.match((await raw.nextResponse()).startLine, / 200 /);
      await within('the connection closes', 5_000, raw.closed);
      assert.match(raw.received().toString('latin1'), /\r\nConnection: close\r\n/);
      assert.equal(backend.requests.length, 1);
    });

    test('sends no body with HEAD, 204 and 304, and chunks where no length is known', async (t) => {
      const { port, backend } = await startListener(t);
      const raw = await openRaw(port);
      const ask = async (method: string, answer: string): Promise<string> => {
        backend.answerWith({ message: (_request, socket) => void socket.write(answer) });
        const before = raw.received().length;
        await raw.send(head(method, '/dav/a', [authorized, ...fields]), method);
        await raw.nextResponse();
        return raw.received().subarray(before).toString('latin1');
      };
      assert.match(
        await ask('HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'),
        /Length: 9[^]*\r\n\r\n$/,
      );
      assert.match(await ask('GET', 'HTTP/1.1 204 No Content\r\n\r\n'), /^HTTP\/1.1 204 [^]*\r\n\r\n$/);
      assert.match(await ask('GET', 'HTTP/1.1 304 Not Modified\r\n\r\n'), /^HTTP\/1.1 304 [^]*\r\n\r\n$/);
      const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
      assert.match(
        await ask('GET', chunked),
        /\r\nTransfer-Encoding: chunked\r\n(?:[^]*\r\n)?\r\n3\r\nabc\r\n0\r\n\r\n$/,
      );
      assert.equal(raw.violation(), null);
      raw.destroy();
    });

    test('that its client leaves lets go of the backend', async (t) => {
      const { port, backend, records } = await startListener(t);
      backend.answerWith({});
      const raw = await openRaw(port);
      await raw.send(head('GET', '/dav/a', [authorized, ...fields]));
      await eventually('the backend is asked', () => backend.requests.length === 1);
      raw.destroy();
      await eventually('the request is given up', () => records.length === 1);
      assert.equal(records[0]?.outcome, 'aborted');
    });

    test('ends when nothing more is asked', async (t) => {
      const { port } = await startListener(t, { keepAliveMs: 100 });
      const raw = await openRaw(port);
      await raw.send(head('GET', '/dav/a', [authorized, ...fields]));
      await raw.nextResponse();
      await within('the connection closes', 5_000, raw.closed);
    });
  });
}

describe('a connection', () => {
  test('leaves the lane at the first request that is not plain, and serves on', async (t) => {
    const { port, backend } = await startListener(t);
    const raw = await openRaw(port);
    const chunked = head('PUT', '/dav/b', [authorized, 'Transfer-Encoding: chunked']);
    await raw.send(
      `${head('GET', '/dav/a', [authorized])}${chunked}3\r\nabc\r\n0\r\n\r\n${head('GET', '/dav/c', [authorized])}`,
    );
    for (let answered = 0; answered < 3; answered++) {
      assert.match((await raw.nextResponse()).startLine, / 200 /);
    }
    assert.deepEqual(backend.requests.map(({ target }) => target).toSorted(), ['/dav/a', '/dav/b', '/dav/c']);
    raw.destroy();
  });

  test('on which nothing ever comes ends', async (t) => {
    const { port } = await startListener(t, { headMs: 200 });
    const raw = await openRaw(port);
    await within('the connection closes', 5_000, raw.closed);
    assert.equal(raw.received().length, 0);
  });

  test('holds little of what is pipelined behind a request that waits for its answer', async (t) => {
    const { port, backend } = await startListener(t);
    backend.answerWith({});
    const raw = await openRaw(port);
    raw.socket.write(Buffer.from(head('GET', '/dav/a', [authorized]).repeat(400_000)));
    await eventually('the backend is asked', () => backend.requests.length === 1);
    let unsent = 0;
    await eventually('the gateway reads no further', () => {
      const before = unsent;
      unsent = raw.socket.writableLength;
      return unsent > 0 && unsent === before;
    });
    raw.destroy();
    await once(raw.socket, 'close');
    assert.equal(backend.requests.length, 1);
  });
});
