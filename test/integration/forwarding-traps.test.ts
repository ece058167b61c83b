import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { within } from '../support/eventually.ts';
import { basic, startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { replying, startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordedRequest, RecordingBackend } from '../support/recording-backend.ts';

describe('traps of HTTP engines', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let token: string;
  let authorization: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway({ backend: backend.url, config: { limits: { backendConnections: 2 } } });
    await gateway.user('alice');
    token = await gateway.token();
    authorization = `Authorization: Bearer ${token}`;
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );
  beforeEach(() => {
    backend.forget();
    backend.answerWith(replying(200, 'fine'));
  });

  const only = (): RecordedRequest => {
    assert.equal(backend.requests.length, 1);
    return backend.requests[0] as RecordedRequest;
  };

  for (const [what, body] of [
    ['no body', '\r\n'],
    ['a body', 'Content-Length: 5\r\n\r\nhello'],
  ] as const) {
    test(`an upgrade that is declined, with ${what}, is the last request of its connection: the parser loses what follows`, async () => {
      const next = head('GET', '/dav/next', [authorization]);
      for (const split of [0, 20, next.length]) {
        backend.forget();
        const raw = await openRaw(gateway.port);
        const first = `PUT /dav/first HTTP/1.1\r\nHost: gw.example\r\n${authorization}\r\nConnection: Upgrade\r\nUpgrade: foo\r\n${body}`;
        await raw.send(first + next.slice(0, split), 'PUT');
        await raw.send(next.slice(split));
        const answer = await raw.nextResponse();
        assert.equal(status(answer), 200);
        assert.equal(field(answer, 'connection'), 'close');
        await within('the close', 2_000, raw.closed);
        assert.equal(only().target, '/dav/first');
        assert.equal(raw.responses.length, 0);
      }
    });
  }

  test('a REPORT or SEARCH without a body is answered where the body would decide', async () => {
    const scoped = await gateway.token({ scopes: ['path:/dav/:rw'] });
    for (const method of ['REPORT', 'SEARCH']) {
      const answer = await exchange(gateway.port, method, '/dav/', [`Authorization: Bearer ${scoped}`]);
      assert.equal(status(answer), 400);
      assert.equal(backend.requests.length, 0);
    }
  });

  const wouldHang: readonly (readonly [what: string, method: string, target: string, field: string])[] = [
    ['Expect: 100-continue', 'PUT', '/dav/a', 'Expect: 100-continue'],
    ['OPTIONS *', 'OPTIONS', '*', 'X-Nothing: 1'],
    ['Keep-Alive', 'GET', '/dav/a', 'Keep-Alive: timeout=5'],
    ['Upgrade to something unknown', 'GET', '/dav/a', 'Upgrade: tls/1.2'],
    ['a Connection field with an empty member', 'GET', '/dav/a', 'Connection: keep-alive,'],
    ['a Connection field that names itself', 'GET', '/dav/a', 'Connection: connection'],
    ['TE: trailers', 'GET', '/dav/a', 'TE: trailers'],
    ['Proxy-Connection', 'GET', '/dav/a', 'Proxy-Connection: keep-alive'],
  ];
  for (const [what, method, target, line] of wouldHang) {
    test(`twenty requests with ${what} leave the pool of two connections able to answer`, async () => {
      for (let count = 0; count < 20; count += 1) {
        await exchange(gateway.port, method, target, [authorization, line], method === 'PUT' ? 'body' : '');
      }
      const answer = await exchange(gateway.port, 'GET', '/dav/after', [authorization]);
      assert.equal(status(answer), 200);
      assert.ok(backend.connections.length <= 2, `${backend.connections.length} connections`);
    });
  }

  const reused: readonly (readonly [method: string, body: string])[] = [
    ['HEAD', ''],
    ['LOCK', "<d:lockinfo xmlns:d='DAV:'/>"],
    ['REPORT', "<d:sync-collection xmlns:d='DAV:'/>"],
    ['MKCOL', '<d:mkcol xmlns:d="DAV:"/>'],
    ['PROPFIND', "<d:propfind xmlns:d='DAV:'/>"],
  ];
  for (const [method, body] of reused) {
    test(`twenty ${method} requests${body === '' ? '' : ' with a body'} share one backend connection`, async () => {
      for (let count = 0; count < 20; count += 1) {
        const answer = await exchange(
          gateway.port,
          method,
          '/dav/folder/',
          [authorization, 'Depth: 0'],
          body,
        );
        assert.equal(status(answer), 200);
      }
      assert.equal(backend.requests.length, 20);
      assert.ok(new Set(backend.requests.map(({ connection }) => connection)).size <= 2);
      assert.ok(backend.connections.length <= 1, `${backend.connections.length} new connections`);
    });
  }

  test('request trailers are dropped and the body stays framed', async () => {
    const raw = await openRaw(gateway.port);
    const fields = [authorization, 'Transfer-Encoding: chunked', 'Trailer: X-Checksum'];
    await raw.send(`${head('PUT', '/dav/a', fields)}3\r\nabc\r\n0\r\nX-Checksum: 1\r\n\r\n`);
    assert.equal(status(await raw.nextResponse()), 200);
    raw.destroy();
    const seen = only();
    assert.equal(seen.body.toString(), 'abc');
    assert.equal(seen.trailers, '');
    assert.ok(!backend.text().includes('X-Checksum'));
  });

  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PROPFIND', 'POST']) {
    test(`a chunked body on ${method} reaches the backend framed, as one request`, async () => {
      const raw = await openRaw(gateway.port);
      const body = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
      await raw.send(
        `${head(method, '/dav/a', [authorization, 'Transfer-Encoding: chunked'])}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
        method,
      );
      const answer = await raw.nextResponse();
      raw.destroy();
      assert.ok([200, 400].includes(status(answer)));
      assert.deepEqual(backend.violations, []);
      assert.ok(backend.requests.length <= 1);
      for (const seen of backend.requests) assert.equal(seen.target, '/dav/a');
      if (status(answer) === 200) assert.equal(only().body.toString(), body);
    });
  }

  test('100 Continue is sent to nobody who is refused', async () => {
    for (const [fields, code] of [
      [[], 401],
      [[`Authorization: Bearer ${await gateway.token({ scopes: ['path:/dav/:r'] })}`], 403],
    ] as const) {
      const raw = await openRaw(gateway.port);
      await raw.send(head('PUT', '/dav/a', [...fields, 'Expect: 100-continue', 'Content-Length: 5']));
      assert.equal(status(await raw.nextResponse()), code);
      raw.destroy();
    }
    assert.equal(backend.text(), '');
  });

  test('100 Continue is sent once to who is authorized, and Expect goes no further', async () => {
    const raw = await openRaw(gateway.port);
    await raw.send(head('PUT', '/dav/a', [authorization, 'Expect: 100-continue', 'Content-Length: 5']));
    assert.equal(status(await raw.nextResponse()), 100);
    await raw.send('hello');
    assert.equal(status(await raw.nextResponse()), 200);
    assert.equal(field(only(), 'expect'), null);
    assert.equal(only().body.toString(), 'hello');
    assert.equal(raw.responses.length, 0);
    raw.destroy();
  });

  for (const name of ['Host', 'Authorization', 'Destination', 'Content-Length', 'Depth', 'If', 'Overwrite']) {
    test(`two ${name} fields are refused and reach nobody`, async () => {
      const values: Readonly<Record<string, string>> = {
        Host: 'gw.example',
        Authorization: `Bearer ${token}`,
        Destination: '/dav/b',
        'Content-Length': '0',
        Depth: '0',
        If: '(<urn:x>)',
        Overwrite: 'T',
      };
      const fields = { Host: 'gw.example', Authorization: values['Authorization'], Destination: '/dav/b' };
      const lines = Object.entries({ ...fields, [name]: values[name] }).map(
        ([key, value]) => `${key}: ${value}`,
      );
      const raw = await openRaw(gateway.port);
      await raw.send(
        `MOVE /dav/a HTTP/1.1\r\n${[...lines, `${name.toLowerCase()}: ${values[name]}`].join('\r\n')}\r\n\r\n`,
      );
      assert.equal(status(await raw.nextResponse()), 400);
      raw.destroy();
      assert.equal(backend.text(), '');
    });
  }

  test('TRACE, which echoes credentials, is refused', async () => {
    const answer = await exchange(gateway.port, 'TRACE', '/dav/a', [authorization]);
    assert.equal(status(answer), 405);
    assert.equal(backend.text(), '');
  });

  test('a request head in single bytes is read like one in one piece', async () => {
    const raw = await openRaw(gateway.port);
    await raw.sendBytewise(head('GET', '/dav/a', [authorization]));
    assert.equal(status(await raw.nextResponse()), 200);
    raw.destroy();
  });

  test('pipelined requests are answered in their order, each by its own response', async () => {
    backend.answerWith({
      message(request, socket) {
        const delayMs = request.target.endsWith('slow') ? 100 : 0;
        setTimeout(() => replying(200, request.target).message?.(request, socket), delayMs);
      },
    });
    const raw = await openRaw(gateway.port);
    await raw.send(head('GET', '/dav/slow', [authorization]) + head('GET', '/dav/fast', [authorization]));
    assert.equal((await raw.nextResponse()).body.toString(), '/dav/slow');
    assert.equal((await raw.nextResponse()).body.toString(), '/dav/fast');
    raw.destroy();
  });

  test('OPTIONS without a credential gets a 401 with a Basic challenge first, which Windows and davfs2 need', async () => {
    const answer = await exchange(gateway.port, 'OPTIONS', '/');
    assert.equal(status(answer), 401);
    const challenges = answer.fields.filter(([name]) => name.toLowerCase() === 'www-authenticate');
    assert.match(challenges[0]?.[1] ?? '', /^Basic realm="/);
  });

  test('the credential is stripped whatever its spelling, and the Basic user name is not what is forwarded', async () => {
    const answer = await exchange(gateway.port, 'GET', '/dav/a', [`aUTHORIZATION: ${basic('ALICE', token)}`]);
    assert.equal(status(answer), 200);
    assert.equal(field(only(), 'authorization'), null);
    assert.equal(field(only(), 'x-remote-user'), 'alice');
  });
});

describe('slow transfers', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let authorization: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway({
      backend: backend.url,
      config: { limits: { idle: '1s', bodyRateMin: 64, head: '1s', backendHead: '1s' } },
    });
    await gateway.user('alice');
    authorization = `Authorization: Bearer ${await gateway.token()}`;
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );

  test('an upload that moves slowly but steadily takes as long as it needs', async () => {
    const raw = await openRaw(gateway.port);
    await raw.send(head('PUT', '/dav/slow', [authorization, 'Content-Length: 1000']));
    for (let part = 0; part < 10; part += 1) {
      await raw.send('x'.repeat(100));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assert.equal(status(await raw.nextResponse()), 200);
    raw.destroy();
  });

  test('an upload that stands still is ended, and so is its backend request', async () => {
    backend.forget();
    const raw = await openRaw(gateway.port);
    await raw.send(head('PUT', '/dav/still', [authorization, 'Content-Length: 1000']));
    await raw.send('x');
    await raw.closed;
    await backend.connections[0]?.closed;
    assert.equal(backend.requests.length, 0);
    raw.destroy();
  });

  test('a head that does not arrive in time is ended', async () => {
    const raw = await openRaw(gateway.port);
    await raw.send('GET /dav/a HTTP/1.1\r\nHost: gw');
    await raw.closed;
    assert.ok(raw.received().length === 0 || /^HTTP\/1\.1 408 /.test(raw.received().toString('latin1')));
    raw.destroy();
  });
});
