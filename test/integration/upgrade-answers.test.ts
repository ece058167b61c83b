import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { eventually, within } from '../support/eventually.ts';
import { route, startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import type { RawConnection } from '../support/raw-client.ts';
import { response, startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordingBackend } from '../support/recording-backend.ts';

const handshake = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const accepted =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

describe("a backend's answer to a WebSocket handshake", () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let authorization: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway({
      routes: [
        route({ backend: backend.url, host: 'backend' }),
        route({
          name: 'own',
          match: { path: '/own/' },
          backend: backend.url,
          backendAuth: { serviceAccount: { user: 'gateway', password: { fromEnv: 'BACKEND_PASSWORD' } } },
        }),
      ],
      env: { BACKEND_PASSWORD: 'wrong' },
      config: { limits: { backendHead: '1s' } },
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
  beforeEach(() => backend.forget());

  async function open(target = '/ws'): Promise<RawConnection> {
    const raw = await openRaw(gateway.port);
    await raw.send(head('GET', target, [...handshake, authorization]));
    return raw;
  }

  const answerWith = (bytes: string | Buffer): void =>
    backend.answerWith({ head: (_, socket) => void socket.write(bytes) });

  const lastAccess = async (outcome: string): Promise<Readonly<Record<string, unknown>>> =>
    eventually(`an access line of ${outcome}`, () => {
      const { access } = gateway.logLines().findLast((line) => 'access' in line) ?? {};
      const line = access as Readonly<Record<string, unknown>> | undefined;
      return line?.['outcome'] === outcome ? line : null;
    });

  test('that opens no tunnel has its Location mapped and is the last on its connection', async () => {
    answerWith(response(307, 'elsewhere', [`Location: ${backend.url}/other?x=1`, 'Keep-Alive: timeout=9']));
    const raw = await open();
    const answer = await raw.nextResponse();
    assert.equal(status(answer), 307);
    assert.equal(field(answer, 'location'), 'http://gw.example/other?x=1');
    assert.equal(field(answer, 'keep-alive'), null);
    assert.equal(field(answer, 'connection'), 'close');
    assert.equal(answer.body.toString(), 'elsewhere');
    await within('the close', 2_000, raw.closed);
    assert.equal((await lastAccess('ok'))['bytesOut'], 'elsewhere'.length);
  });

  test('that refuses the gateway itself is 502 for the client, never 401', async () => {
    answerWith(response(401, '', ['WWW-Authenticate: Basic realm="backend"']));
    const raw = await open('/own/ws');
    const answer = await raw.nextResponse();
    assert.equal(status(answer), 502);
    assert.equal(field(answer, 'www-authenticate'), null);
    const line = await lastAccess('backend_refused_credentials');
    assert.match(String(line['reason']), /^http:\/\/127\.0\.0\.1:\d+ /);
    raw.destroy();
  });

  test("that refuses the client is the client's where the gateway has no credentials of its own", async () => {
    answerWith(response(401, 'who?', ['WWW-Authenticate: Basic realm="backend"']));
    const raw = await open();
    assert.equal(status(await raw.nextResponse()), 401);
    raw.destroy();
  });

  for (const [what, bytes] of [
    ['is cut short of its length', 'HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nhalf'],
    ['is cut inside its chunks', 'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf'],
  ] as const) {
    test(`that opens no tunnel and ${what} has the client's connection cut`, async () => {
      backend.answerWith({ head: (_, socket) => void socket.end(bytes) });
      const raw = await open();
      await within('the cut', 3_000, raw.closed);
      assert.match(raw.received().toString('latin1'), /half/);
      assert.ok(!raw.received().toString('latin1').endsWith('0\r\n\r\n'));
      assert.deepEqual(raw.responses, []);
    });
  }

  for (const [what, bytes, expected, outcome] of [
    ['never comes', '', 504, 'backend_timeout'],
    ['stops in the middle of its head', 'HTTP/1.1 101 Sw', 504, 'backend_timeout'],
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 502, 'backend_garbage'],
    ['has a status that is none', 'HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n', 502, 'backend_garbage'],
  ] as const) {
    test(`that ${what} is ${expected} for the client, and the log names the backend`, async () => {
      answerWith(bytes);
      const raw = await open();
      assert.equal(status(await raw.nextResponse()), expected);
      const line = await lastAccess(outcome);
      assert.ok(String(line['reason']).startsWith(`${backend.url}: `), String(line['reason']));
      raw.destroy();
    });
  }

  test('that is a reset is 502 for the client', async () => {
    backend.answerWith({ head: (_, socket) => void socket.resetAndDestroy() });
    const raw = await open();
    assert.equal(status(await raw.nextResponse()), 502);
    await lastAccess('backend_reset');
    raw.destroy();
  });

  test('that opens a tunnel has the bytes of both sides in its access line', async () => {
    answerWith(`${accepted}hello`);
    const raw = await open();
    await eventually('the greeting', () => raw.received().toString().endsWith('hello'));
    await raw.send('0123456789');
    await eventually('its arrival', () => backend.text().endsWith('0123456789'));
    raw.destroy();
    const line = await lastAccess('ok');
    assert.deepEqual([line['status'], line['bytesIn'], line['bytesOut']], [101, 10, 5]);
  });

  test('that opens a tunnel is decided again by the configuration in force', async () => {
    answerWith(accepted);
    const raw = await open();
    assert.equal(status(await raw.nextResponse()), 101);
    await gateway.rewriteConfig({ routes: [route({ match: { path: '/other/' }, backend: backend.url })] });
    gateway.hup();
    await within('the end of the tunnel', 8_000, raw.closed);
    const gone = await exchange(gateway.port, 'GET', '/ws', [authorization]);
    assert.equal(status(gone), 404);
  });
});
