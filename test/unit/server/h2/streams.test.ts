import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { test, type TestContext } from 'node:test';
import type { OwnPages } from '../../../../src/server/own-pages.ts';
import { eventually } from '../../../support/eventually.ts';
import { response } from '../../../support/recording-backend.ts';
import { startH2Listener } from './h2-fixture.ts';

const authorization = 'Bearer good';

/** An answer that a client of Node got whole. */
interface Answer {
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  readonly body: Buffer;
  readonly rstCode: number;
}

function open(t: TestContext, port: number): ClientHttp2Session {
  const client = connect(`https://localhost:${port}`, { rejectUnauthorized: false });
  client.on('error', () => undefined);
  t.after(() => client.destroy());
  return client;
}

function send(client: ClientHttp2Session, fields: OutgoingHttpHeaders, body?: Buffer): ClientHttp2Stream {
  const stream = client.request(
    { ':path': '/a', authorization, ...fields },
    { endStream: body === undefined },
  );
  stream.on('error', () => undefined);
  if (body !== undefined) stream.end(body);
  return stream;
}

async function answerTo(stream: ClientHttp2Stream): Promise<Answer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise((resolve) => {
    stream.once('close', resolve);
  });
  const [headers] = (await once(stream, 'response')) as [Answer['headers']];
  await closed;
  return { headers, body: Buffer.concat(chunks), rstCode: stream.rstCode };
}

test('bodies go both ways whole, far beyond the windows', async (t) => {
  const { port, backend, records } = await startH2Listener(t);
  const down = randomBytes(8 * 1_024 * 1_024);
  const up = randomBytes(5 * 1_024 * 1_024);
  backend.answerWith({ message: (_request, socket) => void socket.write(response(200, down)) });
  const client = open(t, port);
  const answer = await answerTo(send(client, { ':method': 'PUT' }, up));
  assert.equal(answer.headers[':status'], 200);
  assert.ok(answer.body.equals(down));
  assert.ok(backend.requests[0]?.body.equals(up));
  const [record] = records;
  assert.deepEqual([record?.outcome, record?.bytesIn, record?.bytesOut], ['ok', up.length, down.length]);
});

test('many requests at a time are answered each with its own', async (t) => {
  const { port, backend } = await startH2Listener(t);
  backend.answerWith({ message: ({ target }, socket) => void socket.write(response(200, target)) });
  const client = open(t, port);
  const paths = Array.from({ length: 16 }, (_, at) => `/${at}`);
  const answers = await Promise.all(paths.map((path) => answerTo(send(client, { ':path': path }))));
  assert.deepEqual(
    answers.map(({ body }) => body.toString()),
    paths,
  );
});

test('HEAD, 204 and 304 have no body and are whole', async (t) => {
  const { port, backend, records } = await startH2Listener(t);
  const client = open(t, port);
  for (const [method, status] of [
    ['HEAD', 200],
    ['DELETE', 204],
    ['GET', 304],
  ] as const) {
    const head = `HTTP/1.1 ${status} X\r\n${status === 200 ? 'Content-Length: 1024\r\n' : ''}\r\n`;
    backend.answerWith({ message: (_request, socket) => void socket.write(head) });
    const { headers, body, rstCode } = await answerTo(send(client, { ':method': method }));
    assert.deepEqual([headers[':status'], body.length, rstCode], [status, 0, 0]);
  }
  await eventually('the records', () => records.length === 3);
  assert.deepEqual(new Set(records.map(({ outcome }) => outcome)), new Set(['ok']));
});

test('no field of a connection is passed on to the client, and none that is doubled is lost', async (t) => {
  const { port, backend } = await startH2Listener(t);
  const more = [
    'Keep-Alive: timeout=5',
    'Connection: keep-alive, X-Hop',
    'X-Hop: 1',
    'Set-Cookie: a=1',
    'Set-Cookie: b=2',
  ];
  backend.answerWith({
    message: (_request, socket) => void socket.write(response(200, 'x', [...more, 'ETag: "1"'])),
  });
  const { headers } = await answerTo(send(open(t, port), {}));
  assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(headers.etag, '"1"');
  for (const name of ['connection', 'keep-alive', 'x-hop', 'transfer-encoding'])
    assert.equal(headers[name], undefined);
});

test('a 401 comes with its body in answer to an upload, which is then given up without an error', async (t) => {
  const { port, backend } = await startH2Listener(t);
  const client = open(t, port);
  const stream = client.request({ ':path': '/a', ':method': 'PUT', authorization: 'Bearer bad' });
  stream.on('error', () => undefined);
  stream.write(Buffer.alloc(100_000));
  const { headers, body, rstCode } = await answerTo(stream);
  assert.equal(headers[':status'], 401);
  assert.match(String(headers['www-authenticate']), /^Basic .*Bearer /);
  assert.match(body.toString(), /A valid app token is needed/);
  assert.equal(rstCode, constants.NGHTTP2_NO_ERROR);
  assert.equal(backend.text(), '');
});

test('who waits for 100 is asked for the body once the credential was verified, and not before', async (t) => {
  const { port, backend } = await startH2Listener(t);
  const client = open(t, port);
  const fields = { ':path': '/a', ':method': 'PUT', expect: '100-continue', 'content-length': 5 };
  const good = client.request({ ...fields, authorization });
  await once(good, 'continue');
  good.end('hello');
  assert.equal((await answerTo(good)).headers[':status'], 200);
  assert.equal(backend.requests[0]?.body.toString(), 'hello');
  const bad = client.request({ ...fields, authorization: 'Bearer bad' });
  bad.on('error', () => undefined);
  let asked = false;
  bad.on('continue', () => (asked = true));
  const [headers] = (await once(bad, 'response')) as [Answer['headers']];
  assert.equal(headers[':status'], 401);
  assert.equal(asked, false);
  bad.close();
});

test('a client that cancels ends the request at the backend, and nothing else', async (t) => {
  const { port, backend, records } = await startH2Listener(t);
  backend.answerWith({});
  const client = open(t, port);
  for (const body of [undefined, Buffer.alloc(300_000)]) {
    const arrived = backend.nextHead();
    const stream = send(client, { ':method': body === undefined ? 'GET' : 'PUT' }, body);
    const { connection } = await arrived;
    stream.close(constants.NGHTTP2_CANCEL);
    await connection.closed;
  }
  await eventually('the records', () => records.length === 2);
  assert.deepEqual(
    records.map(({ outcome }) => outcome),
    ['aborted', 'aborted'],
  );
  backend.answerWith({ message: (_request, socket) => void socket.write(response(200, 'x')) });
  assert.equal((await answerTo(send(client, {}))).headers[':status'], 200);
});

test('a client that goes ends all its requests at the backend', async (t) => {
  const { port, backend } = await startH2Listener(t);
  backend.answerWith({});
  const client = open(t, port);
  const first = backend.nextHead();
  send(client, {});
  const { connection } = await first;
  client.destroy();
  await connection.closed;
});

for (const framing of ['Content-Length: 100', 'Transfer-Encoding: chunked'] as const) {
  test(`a body that the backend breaks off never looks whole (${framing})`, async (t) => {
    const { port, backend } = await startH2Listener(t);
    const begin = framing.startsWith('T') ? '4\r\nhalf\r\n' : 'half';
    backend.answerWith({
      message(_request, socket) {
        socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${begin}`, () => socket.resetAndDestroy());
      },
    });
    const stream = send(open(t, port), {});
    let ended = false;
    stream.on('end', () => (ended = stream.rstCode === 0));
    const { body, rstCode } = await answerTo(stream);
    assert.equal(rstCode, constants.NGHTTP2_INTERNAL_ERROR);
    assert.equal(ended, false);
    assert.ok(body.length <= 4);
  });
}

test('a client that reads slowly slows the backend, and the rest of the connection goes on', async (t) => {
  const { port, backend } = await startH2Listener(t);
  let sent = 0;
  backend.answerWith({
    message({ target }, socket) {
      if (target !== '/big') return void socket.write(response(200, 'x'));
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const chunk = `10000\r\n${'a'.repeat(65_536)}\r\n`;
      const more = (): void => {
        while (sent < 64 * 1_048_576) {
          sent += 65_536;
          if (!socket.write(chunk)) break;
        }
      };
      socket.on('drain', more);
      more();
    },
  });
  const client = open(t, port);
  const slow = send(client, { ':path': '/big' });
  await once(slow, 'response');
  slow.pause();
  let before = -1;
  await eventually(
    'the backend to stop',
    () => {
      const steady = sent === before;
      before = sent;
      return steady;
    },
    { everyMs: 300 },
  );
  assert.ok(sent < 32 * 1_048_576, `${sent} bytes were taken from the backend`);
  assert.equal((await answerTo(send(client, { ':path': '/other' }))).headers[':status'], 200);
  slow.close(constants.NGHTTP2_CANCEL);
});

test('a backend that reads slowly slows the client', async (t) => {
  const { port, backend } = await startH2Listener(t);
  backend.answerWith({ head: (_request, socket) => void socket.pause() });
  const client = open(t, port);
  const stream = client.request({ ':path': '/a', ':method': 'PUT', authorization });
  stream.on('error', () => undefined);
  let taken = 0;
  const chunk = Buffer.alloc(65_536);
  const more = (): void =>
    void stream.write(chunk, () => {
      taken += chunk.length;
      if (taken < 64 * 1_048_576) more();
    });
  more();
  let before = -1;
  await eventually(
    'the client to be held',
    () => {
      const steady = taken > 0 && taken === before;
      before = taken;
      return steady;
    },
    { everyMs: 300 },
  );
  assert.ok(taken < 32 * 1_048_576, `${taken} bytes were taken from the client`);
  stream.close(constants.NGHTTP2_CANCEL);
});

test('our own pages are served with scheme, host and a body', async (t) => {
  const seen: unknown[] = [];
  const ownPages: OwnPages = {
    handle(req, res, visit) {
      seen.push([visit.scheme, visit.host, req.method]);
      res.setHeader('Content-Type', 'text/plain');
      res.end('our page');
    },
  };
  const { port, records } = await startH2Listener(t, { ownPages });
  const { headers, body } = await answerTo(
    send(open(t, port), { ':path': '/.latchkey/', authorization: undefined }),
  );
  assert.equal(headers[':status'], 200);
  assert.equal(body.toString(), 'our page');
  assert.deepEqual(seen, [['https', `localhost:${port}`, 'GET']]);
  await eventually('the record', () => records.length === 1);
  assert.deepEqual([records[0]?.status, records[0]?.outcome], [200, 'ok']);
});

test('draining lets what is under way end, and tells the client to come no more', async (t) => {
  const { port, backend, listener } = await startH2Listener(t);
  const arrived = backend.nextRequest();
  backend.answerWith({});
  const client = open(t, port);
  const stream = send(client, {});
  const { connection } = await arrived;
  const goaway = once(client, 'goaway');
  const drained = listener.drain(10_000);
  await goaway;
  connection.socket.write(response(200, 'late'));
  assert.equal((await answerTo(stream)).body.toString(), 'late');
  await drained;
});
