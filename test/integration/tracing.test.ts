import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startChild } from '../support/child-process.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, route, startGateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import { head, openRaw } from '../support/raw-client.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

const sdk = fileURLToPath(new URL('../support/span-file-sdk.ts', import.meta.url));
const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const traceparent = `traceparent: 00-${traceId}-${parentId}-01`;

/** What the SDK of the tests writes of a span. */
interface WrittenSpan {
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code: number };
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string | null;
  readonly links: number;
  readonly parent: { readonly spanId: string; readonly isRemote: boolean } | null;
}

describe('traces', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let scratch: Scratch;
  let spanFile: string;
  let token: string;
  before(async () => {
    scratch = await makeScratch('spans');
    spanFile = scratch.file('spans.jsonl');
    backend = await startRecordingBackend();
    gateway = await startGateway({
      routes: [
        route({ name: 'personal-files', match: { path: '/dav/' }, backend: backend.url }),
        route({
          name: 'gone',
          match: { path: '/gone/' },
          backend: `http://127.0.0.1:${await freePort()}`,
        }),
      ],
      // Clients of the tests come from 127.0.0.1, and from here where they are to be believed.
      config: { trustedProxies: ['127.0.0.2'], tracing: { enabled: true } },
      env: { NODE_OPTIONS: `--import=${sdk}`, TEST_SPAN_FILE: spanFile },
    });
    await gateway.user('alice');
    token = await gateway.token();
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
      () => scratch?.remove(),
    ),
  );
  beforeEach(async () => {
    backend.forget();
    backend.answerWith(replying(200, 'a file'));
    await writeFile(spanFile, '');
  });

  const spans = async (): Promise<readonly WrittenSpan[]> =>
    (await readFile(spanFile, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as WrittenSpan);

  /** Sends one request, from `from`, and returns the one span that comes of it and the status of the answer. */
  const ask = async (
    method: string,
    target: string,
    fields: readonly string[],
    from: 'stranger' | 'proxy' = 'stranger',
  ): Promise<{ readonly span: WrittenSpan; readonly status: number }> => {
    const raw = await openRaw(gateway.port, { localAddress: from === 'proxy' ? '127.0.0.2' : '127.0.0.1' });
    try {
      await raw.send(head(method, target, fields));
      const answered = status(await raw.nextResponse());
      await eventually('the span', async () => (await spans()).length > 0);
      const [span, ...others] = await spans();
      assert.deepEqual(others, [], 'one request is one span');
      assert.ok(span);
      return { span, status: answered };
    } finally {
      raw.destroy();
    }
  };
  const bearer = (): string => `Authorization: Bearer ${token}`;
  const atBackend = (name: string): string | null => {
    const [request] = backend.requests;
    assert.ok(request, 'the backend was asked');
    return field(request, name);
  };

  test('a request is one span of kind SERVER, described by the HTTP conventions', async () => {
    const { span } = await ask('PROPFIND', '/dav/a/b?x=1', [bearer(), 'Depth: 0']);
    assert.equal(span.name, 'PROPFIND /dav/');
    assert.equal(span.kind, 1);
    assert.equal(span.status.code, 0);
    assert.equal(span.links, 0);
    const { 'latchkey.request_id': requestId, 'server.address': address, ...others } = span.attributes;
    assert.equal(requestId, atBackend('x-request-id'), 'the access line of the request is found by it');
    assert.ok(typeof address === 'string' && address !== '');
    delete (others as Record<string, unknown>)['server.port'];
    assert.deepEqual(others, {
      'http.request.method': 'PROPFIND',
      'http.response.status_code': 200,
      'http.route': '/dav/',
      'latchkey.outcome': 'ok',
      'latchkey.route': 'personal-files',
      'network.protocol.version': '1.1',
      'url.scheme': 'http',
    });
  });

  test('a method outside of HTTP, WebDAV and CalDAV is _OTHER', async () => {
    const { span } = await ask('M-SEARCH', '/dav/a', [bearer()]);
    assert.equal(span.name, 'HTTP /dav/');
    assert.equal(span.attributes['http.request.method'], '_OTHER');
  });

  test('a trusted proxy’s trace goes on, with its tracestate, and the backend’s parent is our span', async () => {
    const { span } = await ask(
      'GET',
      '/dav/a',
      [bearer(), traceparent, 'tracestate: a=1', 'TraceState: b=2', 'X-Forwarded-For: 203.0.113.7'],
      'proxy',
    );
    assert.equal(span.traceId, traceId);
    assert.deepEqual(span.parent, { spanId: parentId, isRemote: true });
    assert.equal(atBackend('traceparent'), `00-${traceId}-${span.spanId}-01`);
    assert.equal(atBackend('tracestate'), 'a=1,b=2');
  });

  test('what a trusted proxy says of scheme and host is what the span says', async () => {
    const said = ['X-Forwarded-Proto: https', 'X-Forwarded-Host: Files.example.org:8443'];
    const { span } = await ask('GET', '/dav/a', [bearer(), ...said], 'proxy');
    assert.equal(span.attributes['url.scheme'], 'https');
    assert.equal(span.attributes['server.address'], 'files.example.org');
    assert.equal(span.attributes['server.port'], 8443);
  });

  test('a stranger’s trace is neither joined nor passed on', async () => {
    const { span } = await ask('GET', '/dav/a', [bearer(), traceparent, 'tracestate: a=1']);
    assert.notEqual(span.traceId, traceId);
    assert.equal(span.parent, null);
    assert.equal(span.links, 0);
    assert.equal(atBackend('traceparent'), `00-${span.traceId}-${span.spanId}-01`);
    assert.equal(atBackend('tracestate'), null);
  });

  test('a traceparent that is malformed, or stands twice, begins a new trace', async () => {
    const malformed = [
      ['traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01'],
      [`traceparent: 00-${traceId}-0000000000000000-01`],
      [`traceparent: ff-${traceId}-${parentId}-01`],
      [`traceparent: 00-${traceId}-${parentId}-01-more`],
      [`traceparent: 00-${traceId.toUpperCase()}-${parentId}-01`],
      ['traceparent: nonsense'],
      [traceparent, traceparent],
    ];
    for (const fields of malformed) {
      backend.forget();
      await writeFile(spanFile, '');
      const { span } = await ask('GET', '/dav/a', [bearer(), ...fields, 'tracestate: a=1'], 'proxy');
      assert.equal(span.parent, null, fields.join());
      assert.notEqual(span.traceId, traceId);
      assert.equal(span.traceState, null);
      assert.equal(atBackend('traceparent'), `00-${span.traceId}-${span.spanId}-01`);
    }
  });

  test('what the client of a trusted proxy decided not to sample is passed on as not sampled', async () => {
    const raw = await openRaw(gateway.port, { localAddress: '127.0.0.2' });
    await raw.send(head('GET', '/dav/a', [bearer(), `traceparent: 00-${traceId}-${parentId}-00`]));
    assert.equal(status(await raw.nextResponse()), 200);
    raw.destroy();
    assert.match(
      atBackend('traceparent') ?? '',
      new RegExp(`^00-${traceId}-(?!${parentId})[0-9a-f]{16}-00$`),
    );
  });

  test('a refusal is in the span, and no error of ours', async () => {
    const { span, status: answered } = await ask('GET', '/dav/a', []);
    assert.equal(answered, 401);
    assert.equal(span.attributes['http.response.status_code'], 401);
    assert.equal(span.attributes['latchkey.outcome'], 'unauthenticated');
    assert.equal(span.attributes['error.type'], undefined);
    assert.equal(span.status.code, 0);
    await writeFile(spanFile, '');
    const lost = await ask('GET', '/nowhere', [bearer()]);
    assert.equal(lost.span.name, 'GET');
    assert.equal(lost.span.attributes['http.response.status_code'], 404);
    assert.equal(lost.span.attributes['http.route'], undefined);
  });

  test('a fault, and a backend’s own 5xx, are errors that say their type', async () => {
    const { span } = await ask('GET', '/gone/a', [bearer()]);
    assert.equal(span.attributes['http.response.status_code'], 502);
    assert.equal(span.attributes['error.type'], 'backend_unreachable');
    assert.equal(span.status.code, 2);
    await writeFile(spanFile, '');
    backend.answerWith(replying(503));
    const busy = await ask('GET', '/dav/a', [bearer()]);
    assert.equal(busy.span.attributes['error.type'], '503');
    assert.equal(busy.span.status.code, 2);
  });

  test('a WebSocket handshake is traced like any request', async () => {
    backend.answerWith(replying(403));
    const { span } = await ask('GET', '/dav/ws', [
      ...[bearer(), traceparent, 'Connection: Upgrade', 'Upgrade: websocket'],
      ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
    ]);
    assert.equal(span.name, 'GET /dav/');
    assert.equal(span.attributes['http.response.status_code'], 403);
    assert.equal(atBackend('traceparent'), `00-${span.traceId}-${span.spanId}-01`);
  });

  test('no token, user name, path or query is in any span, wherever the client puts it', async () => {
    const basic = `Basic ${Buffer.from(`alice:${token}`).toString('base64')}`;
    await ask('GET', `/dav/${token}/secret-plan.txt?t=${token}`, [`Authorization: ${basic}`], 'proxy');
    const places = [
      [bearer(), `X-Forwarded-Host: ${token}`],
      [bearer(), `traceparent: ${token}`, `tracestate: a=${token}`],
      [bearer(), `User-Agent: ${token}`, `Cookie: t=${token}`, `Referer: http://x/?t=${token}`],
    ];
    for (const fields of places) {
      const raw = await openRaw(gateway.port, { localAddress: '127.0.0.2' });
      await raw.send(head('PUT', '/dav/secret-plan.txt', fields));
      await raw.nextResponse();
      raw.destroy();
    }
    await eventually('the spans', async () => (await spans()).length === 1 + places.length);
    const written = (await readFile(spanFile, 'utf8')).toLowerCase();
    for (const secret of [token, basic, 'alice', 'secret-plan']) {
      assert.ok(!written.includes(secret.toLowerCase()), secret);
    }
  });
});

test('without tracing, what a client says of traces passes as it came', async () => {
  const backend = await startRecordingBackend();
  const gateway = await startGateway({ backend: backend.url });
  try {
    await gateway.user('alice');
    const raw = await openRaw(gateway.port);
    const bearer = `Authorization: Bearer ${await gateway.token()}`;
    await raw.send(head('GET', '/a', [bearer, traceparent, 'tracestate: a=1']));
    assert.equal(status(await raw.nextResponse()), 200);
    raw.destroy();
    const [request] = backend.requests;
    assert.ok(request);
    assert.equal(field(request, 'traceparent'), traceparent.slice('traceparent: '.length));
    assert.equal(field(request, 'tracestate'), 'a=1');
  } finally {
    await gateway.stop();
    await backend.close();
  }
});

test('tracing without an SDK keeps the gateway from starting, with the next step', async () => {
  const scratch = await makeScratch('no-sdk');
  const config = scratch.file('latchkey.yaml');
  const ports = { listen: { port: 0 }, admin: { port: 0 } };
  await writeFile(
    config,
    JSON.stringify({ ...ports, backend: 'http://127.0.0.1:9', tracing: { enabled: true } }),
  );
  const child = startChild({
    label: 'latchkey serve',
    command: process.execPath,
    args: [mainFile, 'serve', '--config', config],
    cwd: scratch.path,
    env: {},
  });
  try {
    const { code } = await child.exited;
    assert.notEqual(code, 0);
    assert.match(
      child.stderr(),
      /tracing\.enabled: no OpenTelemetry SDK is registered: let NODE_OPTIONS=--import=FILE/,
    );
  } finally {
    await child.stop();
    await scratch.remove();
  }
});
