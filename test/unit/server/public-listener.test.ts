import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Verification } from '../../../src/tokens/verification.ts';
import { eventually, within } from '../../support/eventually.ts';
import { field } from '../../support/http-message.ts';
import { exchange, head, openRaw } from '../../support/raw-client.ts';
import { replying, response } from '../../support/recording-backend.ts';
import { authorized, startListener } from './listener-fixture.ts';

const webSocket = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

describe('a request that cannot be parsed', () => {
  test('is answered once, and the connection closes', async (t) => {
    const { port, backend, records } = await startListener(t);
    const raw = await openRaw(port);
    await raw.send('GET / HTTP/1.1\r\nHost: gw.example\r\nBad Field: x\r\n\r\n');
    const answer = await raw.nextResponse();
    assert.match(answer.startLine, /^HTTP\/1\.1 400 /);
    assert.equal(field(answer, 'connection'), 'close');
    await raw.closed;
    assert.deepEqual([raw.violation(), backend.requests.length], [null, 0]);
    const [record] = records;
    assert.deepEqual([records.length, record?.method, record?.status], [1, '-', 400]);
    assert.match(answer.body.toString(), new RegExp(`"requestId":"${record?.requestId}"`));
  });

  test('in its body is recorded once', async (t) => {
    const { port, records } = await startListener(t);
    const raw = await openRaw(port);
    await raw.send(`${head('PUT', '/dav/a', [authorized, 'Transfer-Encoding: chunked'])}3\r\nabcNONSENSE`);
    assert.match((await raw.nextResponse()).startLine, / 400 /);
    await within('the connection closes', 5_000, raw.closed);
    await eventually('it is recorded', () => records.length > 0);
    assert.deepEqual(
      records.map(({ method }) => method),
      ['PUT'],
    );
  });

  test('with a head far too large gets its 431 although more and more of it arrives', async (t) => {
    const { port } = await startListener(t);
    for (let round = 0; round < 5; round++) {
      const raw = await openRaw(port);
      raw.socket.on('error', () => undefined);
      raw.socket.write(`GET / HTTP/1.1\r\nHost: gw.example\r\nX: ${'a'.repeat(20_000)}`);
      for (let part = 0; part < 20; part++) raw.socket.write('a'.repeat(50_000));
      assert.match((await raw.nextResponse()).startLine, /^HTTP\/1\.1 431 /);
      raw.destroy();
    }
  });

  test('behind one that is still being answered is not answered in its place', async (t) => {
    const { port, backend } = await startListener(t);
    backend.answerWith({});
    const raw = await openRaw(port);
    const arrived = backend.nextRequest();
    await raw.send(head('DELETE', '/dav/a', [authorized]));
    await arrived;
    await raw.send('NONSENSE\r\n\r\n');
    backend.connections[0]?.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    assert.match(
      (await raw.nextResponse()).startLine,
      / 204 /,
      'a 400 would be taken for the answer to the DELETE',
    );
    assert.match((await raw.nextResponse()).startLine, / 400 /);
    await within('the connection closes', 5_000, raw.closed);
  });

  test('in its body is answered, and the backend gets nothing of a small one', async (t) => {
    const { port, backend } = await startListener(t);
    const raw = await openRaw(port);
    await raw.send(`${head('PUT', '/dav/a', [authorized, 'Transfer-Encoding: chunked'])}3\r\nabc\r\n`);
    await raw.send('zz\r\n');
    assert.match((await raw.nextResponse()).startLine, /^HTTP\/1\.1 400 /);
    await raw.closed;
    assert.equal(backend.requests.length, 0);
  });

  test('in time is a 408', async (t) => {
    const { port } = await startListener(t, { headMs: 60 });
    const raw = await openRaw(port);
    await raw.send('GET / HTTP/1.1\r\nHost: gw');
    assert.match((await raw.nextResponse()).startLine, /^HTTP\/1\.1 408 /);
    await raw.closed;
  });
});

describe('a refusal', () => {
  test('keeps the connection where the body is short, and reads it to its end', async (t) => {
    const { port } = await startListener(t);
    const raw = await openRaw(port);
    await raw.send(
      `${head('PUT', '/.latchkey/a', [authorized, 'Content-Length: 5'])}hello${head('GET', '/dav/a', [authorized])}`,
    );
    assert.match((await raw.nextResponse()).startLine, / 404 /);
    assert.match((await raw.nextResponse()).startLine, / 200 /);
    raw.destroy();
  });

  test('of somebody unknown reads nothing of the body, however short: the connection closes', async (t) => {
    const { port, backend } = await startListener(t);
    const raw = await openRaw(port);
    const inner = head('GET', '/dav/a', [authorized]);
    await raw.send(`${head('POST', '/dav/a', [`Content-Length: ${inner.length}`])}${inner}`);
    assert.match((await raw.nextResponse()).startLine, / 401 /);
    await within('the connection closes', 5_000, raw.closed);
    assert.equal(backend.requests.length, 0);
  });

  test('closes where the body is long: none of it is read as a request', async (t) => {
    const { port, backend } = await startListener(t);
    const raw = await openRaw(port);
    await raw.send(
      `${head('PUT', '/dav/a', ['Content-Length: 100000'])}${head('GET', '/smuggled', [authorized])}`,
    );
    const answer = await raw.nextResponse();
    assert.deepEqual([answer.startLine.split(' ')[1], field(answer, 'connection')], ['401', 'close']);
    await within('the connection closes', 5_000, raw.closed);
    assert.equal(backend.requests.length, 0);
  });

  test('that closes ends what was pipelined behind it', async (t) => {
    const { port, backend, records } = await startListener(t);
    const raw = await openRaw(port);
    await raw.send(head('TRACE', '/') + head('GET', '/smuggled', [authorized]).repeat(3));
    assert.match((await raw.nextResponse()).startLine, / 405 /);
    await within('the connection closes', 5_000, raw.closed);
    assert.deepEqual([backend.requests.length, records.length, raw.violation()], [0, 1, null]);
  });

  test('that closes waits for the answers before it, however large', async (t) => {
    const { port, backend } = await startListener(t);
    const body = 'b'.repeat(4_000_000);
    backend.answerWith(replying(200, body));
    const raw = await openRaw(port);
    raw.socket.pause();
    await raw.send(head('GET', '/dav/a', [authorized]) + head('TRACE', '/'));
    await eventually('the backend was asked', () => backend.requests.length === 1);
    raw.socket.resume();
    const first = await raw.nextResponse();
    assert.equal(first.body.length, body.length);
    assert.match((await raw.nextResponse()).startLine, / 405 /);
    await raw.closed;
  });

  test('after part of a body was streamed keeps a connection that still serves', async (t) => {
    const { port } = await startListener(t, { route: { backend: ['http://127.0.0.1:1'] } });
    const raw = await openRaw(port);
    await raw.send(`${head('PUT', '/dav/a', [authorized, 'Content-Length: 40000'])}${'a'.repeat(20_000)}`);
    assert.match((await raw.nextResponse()).startLine, / 502 /);
    await raw.send('a'.repeat(20_000) + head('GET', '/dav/a'));
    assert.match((await raw.nextResponse()).startLine, / 401 /);
    raw.destroy();
  });

  test('of CONNECT arrives whole', async (t) => {
    const { port } = await startListener(t);
    const raw = await openRaw(port);
    await raw.send('CONNECT gw.example:443 HTTP/1.1\r\nHost: gw.example:443\r\n\r\n');
    assert.match((await raw.nextResponse()).startLine, / 405 /);
    await within('the connection closes', 5_000, raw.closed);
  });

  test('of CONNECT behind a request still being verified harms nobody where the client resets', async (t) => {
    let asked = false;
    let verdict: (verification: Verification) => void = () => undefined;
    const { port, records } = await startListener(t, {
      verify: () =>
        new Promise((resolve) => {
          asked = true;
          verdict = resolve;
        }),
    });
    const raw = await openRaw(port);
    const first = head('GET', '/dav/a', [authorized, 'Connection: TE']);
    await raw.send(`${first}CONNECT gw.example:443 HTTP/1.1\r\nHost: gw.example:443\r\n\r\n`);
    await eventually('the question', () => asked);
    raw.socket.resetAndDestroy();
    await delay(20);
    verdict({ kind: 'refused', reason: 'unknown', tier: 'store' });
    await eventually('the record', () => records.length === 1);
    assert.match((await exchange(port, 'GET', '/.latchkey/x')).startLine, / 404 /);
  });

  test('of HEAD has no body', async (t) => {
    const { port } = await startListener(t);
    const raw = await openRaw(port);
    await raw.send(head('HEAD', '/dav/a'), 'HEAD');
    const answer = await raw.nextResponse();
    assert.deepEqual([answer.startLine.split(' ')[1], answer.body.length], ['401', 0]);
    raw.destroy();
  });
});

describe('an upgrade', () => {
  test('whose client resets while its credential is verified harms nobody', async (t) => {
    let asked: () => void = () => undefined;
    const verifying = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let answer: () => void = () => undefined;
    const { port, records } = await startListener(t, {
      verify: (secret) =>
        secret === 'slow'
          ? new Promise((resolve) => {
              answer = () => resolve({ kind: 'refused', reason: 'unknown', tier: 'store' });
              asked();
            })
          : null,
    });
    const raw = await openRaw(port);
    raw.socket.on('error', () => undefined);
    await raw.send(head('GET', '/dav/a', ['Authorization: Bearer slow', ...webSocket]));
    await verifying;
    raw.socket.resetAndDestroy();
    const other = await exchange(port, 'GET', '/dav/a', [authorized]);
    assert.match(other.startLine, / 200 /);
    answer();
    await eventually('the request is recorded', () => records.length === 2);
  });

  test('pipelined behind a plain request waits for its answer', async (t) => {
    const { port, backend, records } = await startListener(t);
    const raw = await openRaw(port);
    await raw.send(
      head('GET', '/dav/a', [authorized]) + head('GET', '/dav/socket', [authorized, ...webSocket]),
    );
    assert.match((await raw.nextResponse()).startLine, / 200 /);
    await eventually('both are recorded', () => records.length === 2);
    assert.ok(backend.text().indexOf('/dav/a') < backend.text().indexOf('/dav/socket'));
  });

  test('pipelined behind any other request still being answered is not served: its answer would come first', async (t) => {
    const { port, backend } = await startListener(t);
    backend.answerWith({});
    const raw = await openRaw(port);
    const nominating = 'Connection: keep-alive, X-Nominated';
    await raw.send(
      head('GET', '/dav/a', [authorized, nominating]) +
        head('GET', '/dav/socket', [authorized, ...webSocket]),
    );
    await within('the connection closes', 5_000, raw.closed);
    assert.equal(raw.received().length, 0);
    assert.equal(backend.text().includes('/dav/socket'), false);
  });

  test('pipelined behind a refusal that closes is not served', async (t) => {
    const { port, backend } = await startListener(t);
    const raw = await openRaw(port);
    await raw.send(head('TRACE', '/') + head('GET', '/smuggled', [authorized, ...webSocket]));
    assert.match((await raw.nextResponse()).startLine, / 405 /);
    await within('the connection closes', 5_000, raw.closed);
    assert.equal(backend.connections.length, 0);
  });
});

test('a client that leaves before its turn ends the requests it pipelined, answered by the backend or not', async (t) => {
  const { port, backend, records } = await startListener(t);
  const beyondTheLane = 'Connection: keep-alive, X-Nominated';
  backend.answerWith({
    message: ({ target }, socket) => {
      if (target === '/dav/b' || target === '/dav/other') socket.write(response(200, 'b'));
    },
  });
  const raw = await openRaw(port);
  const gets = ['/dav/a', '/dav/b', '/dav/c'].map((path) => head('GET', path, [authorized, beyondTheLane]));
  // With a CONNECT the server lets go of the socket, and of what waits there.
  await raw.send(`${gets.join('')}CONNECT gw.example:80 HTTP/1.1\r\nHost: gw.example:80\r\n\r\n`);
  await eventually('the backend has all', () => backend.requests.length === 3);
  // By the time another is served, the answer to b waits for its turn.
  await exchange(port, 'GET', '/dav/other', [authorized]);
  raw.socket.resetAndDestroy();
  await eventually('each is recorded', () => records.length === 4);
  assert.equal(records.filter(({ outcome }) => outcome === 'aborted').length, 3);
});

describe('draining', () => {
  test('lets a request finish and then closes its connection', async (t) => {
    const { port, listener, backend } = await startListener(t);
    backend.answerWith({});
    const raw = await openRaw(port);
    const arrived = backend.nextRequest();
    await raw.send(head('GET', '/dav/a', [authorized]));
    await arrived;
    const drained = listener.drain(10_000);
    backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    assert.equal((await raw.nextResponse()).body.toString(), 'ok');
    await within('drain', 5_000, drained);
    assert.equal(raw.isClosed() || (await raw.closed, true), true);
  });

  test('ends tunnels by force after its grace', async (t) => {
    const { port, listener, backend } = await startListener(t);
    backend.answerWith({
      message: (_, socket) =>
        void socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
        ),
    });
    const raw = await openRaw(port);
    await raw.send(head('GET', '/dav/a', [authorized, ...webSocket]));
    await once(raw.socket, 'data');
    await within('drain', 3_000, listener.drain(100));
    await within('the tunnel closes', 3_000, raw.closed);
  });

  test('rejects where the port is taken', async (t) => {
    const { port } = await startListener(t);
    const { listener } = await startListener(t);
    await assert.rejects(
      listener.listen({ host: '127.0.0.1', port }),
      /EADDRINUSE|ERR_SERVER_ALREADY_LISTEN/,
    );
  });
});
