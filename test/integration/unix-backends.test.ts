import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { type Gateway, route, startGateway } from '../support/gateway.ts';
import { field, type HttpMessage, status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

const handshake = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

describe('backends on socket files', () => {
  let scratch: Scratch;
  let onSocket: RecordingBackend;
  let onPort: RecordingBackend;
  let echo: Server;
  const sockets = new Set<Socket>();
  let gateway: Gateway;
  let authorization: string;
  before(async () => {
    scratch = await makeScratch('backend');
    onSocket = await startRecordingBackend({ path: scratch.file('s') });
    onPort = await startRecordingBackend();
    echo = createServer((_req, res) => res.writeHead(426).end()).listen(scratch.file('ws'));
    echo.on('connection', (socket) => sockets.add(socket));
    echo.on('upgrade', (req, socket: Socket) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Host: ${req.headers.host ?? ''}\r\n\r\n`,
      );
      socket.pipe(socket);
    });
    await once(echo, 'listening');
    await unlistened(scratch.file('dead'));
    await writeFile(scratch.file('file'), '');
    const at = (name: string, backend: string | readonly string[], fields = {}): ReturnType<typeof route> =>
      route({ name, match: { path: `/${name}/` }, backend, ...fields });
    gateway = await startGateway({
      routes: [
        at('preserve', onSocket.url),
        at('backend', onSocket.url, { host: 'backend' }),
        at('stated', onSocket.url, { backendOrigin: 'https://dav.example:8443' }),
        at('mixed', [`unix:${scratch.file('gone')}`, onSocket.url, onPort.url]),
        at('ws', `unix:${scratch.file('ws')}`),
        at('gone', `unix:${scratch.file('gone')}`),
        at('dead', `unix:${scratch.file('dead')}`),
        at('file', `unix:${scratch.file('file')}`),
        at('below', `unix:${scratch.file('file', 's')}`),
      ],
    });
    await gateway.user('alice');
    authorization = `Authorization: Bearer ${await gateway.token()}`;
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    await endAll(
      () => gateway?.stop(),
      () => onSocket?.close(),
      () => onPort?.close(),
      () => new Promise((resolve) => echo?.close(resolve)),
      () => scratch?.remove(),
    );
  });
  beforeEach(() => {
    for (const backend of [onSocket, onPort]) {
      backend.forget();
      backend.answerWith(replying(200, 'fine'));
    }
  });

  const call = (
    method: string,
    path: string,
    fields: readonly string[] = [],
    body = '',
  ): Promise<HttpMessage> => exchange(gateway.port, method, path, [authorization, ...fields], body);
  const seen = (name: string): string | null => field(onSocket.requests.at(-1) ?? { fields: [] }, name);

  test('get the request and its body, and the Host that the client asked for', async () => {
    const answer = await call('PUT', '/preserve/a', [], 'content');
    assert.equal(status(answer), 200);
    assert.equal(answer.body.toString(), 'fine');
    assert.equal(onSocket.requests.at(-1)?.body.toString(), 'content');
    assert.equal(seen('host'), 'gw.example');
    assert.equal(seen('x-remote-user'), 'alice');
  });

  test('are localhost where the route sends the Host of the backend', async () => {
    await call('GET', '/backend/a');
    assert.equal(seen('host'), 'localhost');
  });

  test('read a Destination with the Host they were sent, or with the origin they believe in', async () => {
    const destination = ['backend', 'preserve', 'stated'].map(async (name) => {
      await call('MOVE', `/${name}/a`, [`Destination: http://gw.example/${name}/b`]);
    });
    await Promise.all(destination);
    const sent = onSocket.requests.map((request) => field(request, 'destination'));
    assert.deepEqual(
      new Set(sent),
      new Set([
        'http://gw.example/preserve/b',
        'http://localhost/backend/b',
        'https://dav.example:8443/stated/b',
      ]),
    );
  });

  test('may name themselves localhost in a Location', async () => {
    onSocket.answerWith(replying(201, '', ['Location: http://localhost/backend/b']));
    assert.equal(field(await call('PUT', '/backend/a', [], 'x'), 'location'), 'http://gw.example/backend/b');
  });

  test('share a route with others, and one whose socket is not there costs no request', async () => {
    for (let count = 0; count < 6; count++) assert.equal(status(await call('GET', '/mixed/a')), 200);
    assert.deepEqual([onSocket.requests.length > 0, onPort.requests.length > 0], [true, true]);
  });

  test('carry WebSockets', async () => {
    const raw = await openRaw(gateway.port);
    await raw.send(head('GET', '/ws/a', [authorization, ...handshake]));
    const answer = await raw.nextResponse();
    assert.equal(status(answer), 101);
    assert.equal(field(answer, 'x-host'), 'gw.example');
    const echoed = once(raw.socket, 'data');
    raw.socket.write('ping');
    assert.match(String((await echoed)[0]), /ping$/);
    raw.destroy();
  });

  for (const [name, why, code] of [
    ['gone', 'is not there', 'ENOENT'],
    ['dead', 'has nobody who listens', 'ECONNREFUSED'],
    ['file', 'is no socket', 'ECONNREFUSED'],
    ['below', 'lies below a file', 'ENOTDIR'],
  ] as const) {
    test(`whose file ${why} are unreachable like a port that nobody listens on`, async () => {
      const place = `unix:${name === 'below' ? scratch.file('file', 's') : scratch.file(name)}`;
      for (const fields of [[], handshake]) {
        const answer = await call('GET', `/${name}/a`, fields);
        assert.equal(status(answer), 502);
        assert.equal(answer.body.includes(scratch.path), false);
      }
      const told = (): number =>
        gateway.logLines().filter(({ reason, cause }) => reason === `${place}: ${code}` && cause === code)
          .length;
      await eventually('both to be logged with the socket and the cause', () => told() === 2);
    });
  }

  test('are looked at by the doctor', async () => {
    const { stdout } = await gateway.command(['doctor', '--json']);
    const findings = JSON.parse(stdout) as readonly Readonly<Record<string, string>>[];
    const about = (name: string, file: string): string =>
      findings
        .filter(({ subject }) => subject === `route ${name}: unix:${scratch.file(file)}`)
        .map(({ level, message }) => `${level} ${message}`)
        .join();
    assert.equal(about('backend', 's'), 'ok answers OPTIONS /backend/ with 200');
    assert.equal(seen('host'), 'localhost');
    assert.equal(about('gone', 'gone'), 'fail has no such socket');
    assert.equal(about('dead', 'dead'), 'fail refuses connections');
  });

  test('appear by their addresses when the gateway starts', () => {
    assert.ok(gateway.output().includes(`/preserve/ → unix:${scratch.file('s')} (preserve)`));
  });

  test('are served again as soon as they are back', async () => {
    await rename(scratch.file('ws'), scratch.file('away'));
    assert.equal(status(await call('GET', '/ws/a', handshake)), 502);
    await rename(scratch.file('away'), scratch.file('ws'));
    const raw = await openRaw(gateway.port);
    await raw.send(head('GET', '/ws/a', [authorization, ...handshake]));
    assert.equal(status(await raw.nextResponse()), 101);
    raw.destroy();
  });
});

/** Leaves a socket file that nobody listens on any more, as a killed process does. */
async function unlistened(path: string): Promise<void> {
  const server = createServer().listen(`${path}.open`);
  await once(server, 'listening');
  await rename(`${path}.open`, path);
  await new Promise((resolve) => server.close(resolve));
}
