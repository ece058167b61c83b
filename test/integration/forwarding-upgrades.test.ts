import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { endAll } from '../support/end-all.ts';
import { eventually, within } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import type { RawConnection } from '../support/raw-client.ts';

const handshake = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

describe('WebSocket upgrades', () => {
  let server: Server;
  const upgrades: { readonly req: IncomingMessage; readonly socket: Socket }[] = [];
  const sockets = new Set<Socket>();
  let gateway: Gateway;
  let token: string;
  let authorization: string;
  before(async () => {
    server = createServer((req, res) => {
      res.writeHead(426, { 'Content-Type': 'text/plain' });
      res.end(`no upgrade: ${req.headers.upgrade ?? ''}`);
    });
    server.on('connection', (socket) => sockets.add(socket));
    server.on('upgrade', (req, socket: Socket) => {
      upgrades.push({ req, socket });
      socket.on('error', () => undefined);
      if (req.url === '/ws/silent') {
        // A socket that nobody reads from does not say that it was closed.
        socket.once('end', () => socket.destroy()).resume();
        return;
      }
      if (req.url === '/ws/endless') {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nso\r\n');
        socket.once('end', () => socket.destroy()).resume();
        return;
      }
      if (req.url === '/ws/refused') {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
        return;
      }
      const accept = (): void => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
        );
        socket.pipe(socket);
      };
      if (req.url === '/ws/late') socket.once('answer', accept);
      else accept();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    gateway = await startGateway({ backend: backendUrl() });
    await gateway.user('alice');
    token = await gateway.token();
    authorization = `Authorization: Bearer ${token}`;
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      async () => {
        server.closeAllConnections();
        for (const socket of sockets) socket.destroy();
        server.close();
        await once(server, 'close');
      },
    ),
  );
  beforeEach(() => {
    upgrades.length = 0;
  });

  function backendUrl(): string {
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function open(fields: readonly string[], target = '/ws/echo'): Promise<RawConnection> {
    const raw = await openRaw(gateway.port);
    await raw.send(head('GET', target, [...handshake, ...fields]));
    return raw;
  }

  async function assertEchoes(raw: RawConnection): Promise<void> {
    const sent = Buffer.from('any bytes: \u0000\r\n\r\nGET /x HTTP/1.1\r\n\r\n');
    const before = raw.received().length;
    await raw.send(sent);
    await eventually('the echo', () => raw.received().length >= before + sent.length);
    assert.deepEqual(raw.received().subarray(before), sent);
  }

  test('an authorized upgrade reaches the backend and carries bytes both ways', async () => {
    const raw = await open([authorization]);
    assert.equal(status(await raw.nextResponse()), 101);
    await assertEchoes(raw);
    raw.destroy();
  });

  test('the backend gets the identity and no credential, with Expect on the request too', async () => {
    for (const extra of [[], ['Expect: 100-continue'], ['X-Remote-User: admin', 'X_Remote_User: admin']]) {
      upgrades.length = 0;
      const raw = await open([authorization, ...extra]);
      const answer = await raw.nextResponse();
      raw.destroy();
      if (upgrades.length === 0) {
        // To refuse Expect on an upgrade is as good.
        assert.ok([400, 417].includes(status(answer)), answer.startLine);
        continue;
      }
      const headers = upgrades[0]?.req.rawHeaders.join('\n') ?? '';
      assert.ok(!headers.includes(token), headers);
      assert.ok(!headers.includes('admin'), headers);
      assert.match(headers, /x-remote-user\nalice/i);
    }
  });

  test('an upgrade without a token is refused with 401 and reaches no backend', async () => {
    const raw = await open([]);
    const answer = await raw.nextResponse();
    assert.equal(status(answer), 401);
    assert.match(field(answer, 'content-type') ?? '', /problem\+json/);
    await within('the close', 5_000, raw.closed);
    assert.equal(upgrades.length, 0);
  });

  test('an upgrade outside the token is refused with 403 and reaches no backend', async () => {
    const scoped = await gateway.token({ scopes: ['path:/dav/:rw'] });
    const raw = await open([`Authorization: Bearer ${scoped}`]);
    assert.equal(status(await raw.nextResponse()), 403);
    assert.equal(upgrades.length, 0);
    raw.destroy();
  });

  test("the backend's own refusal of an upgrade is passed on", async () => {
    const raw = await open([authorization], '/ws/refused');
    const answer = await raw.nextResponse();
    assert.equal(status(answer), 403);
    assert.equal(answer.body.toString(), 'no');
    raw.destroy();
  });

  test('each side that closes has the other closed', async () => {
    const first = await open([authorization]);
    assert.equal(status(await first.nextResponse()), 101);
    const [atBackend] = upgrades;
    assert.ok(atBackend);
    // A reset is as good an end as any: only the close counts.
    const closed = new Promise((resolve) => atBackend.socket.once('close', resolve));
    first.destroy();
    await within('the close at the backend', 1_000, closed);

    const second = await open([authorization]);
    assert.equal(status(await second.nextResponse()), 101);
    upgrades.at(-1)?.socket.destroy();
    await within('the close at the client', 1_000, second.closed);
  });

  test('what the client sends with and behind its handshake, before the answer, arrives in order', async () => {
    const raw = await openRaw(gateway.port);
    await raw.send(`${head('GET', '/ws/late', [...handshake, authorization])}one `);
    await eventually('the handshake at the backend', () => upgrades.length === 1);
    await raw.send('two ');
    upgrades[0]?.socket.emit('answer');
    assert.equal(status(await raw.nextResponse()), 101);
    await raw.send('three');
    await eventually('the echo', () => raw.received().toString().endsWith('one two three'));
    raw.destroy();
  });

  test('a client that leaves an answer without a tunnel and without an end ends it at the backend', async () => {
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const raw = await open([authorization], '/ws/endless');
      await eventually('the beginning of the answer', () => raw.received().includes('so\r\n'));
      const atBackend = upgrades.at(-1)?.socket;
      assert.ok(atBackend);
      const closed = new Promise((resolve) => atBackend.once('close', resolve));
      raw.socket[leave]();
      await within('the close at the backend', 2_000, closed);
    }
  });

  test('a client that resets in the middle of its handshake harms nobody', async () => {
    for (const target of ['/ws/echo', '/ws/silent']) {
      for (const afterMs of [0, 1, 5, 20]) {
        const raw = await open([authorization], target);
        await delay(afterMs);
        raw.socket.resetAndDestroy();
      }
    }
    await eventually('the closes at the backend', () => upgrades.every(({ socket }) => socket.closed));
    const raw = await open([authorization]);
    assert.equal(status(await raw.nextResponse()), 101);
    await assertEchoes(raw);
    raw.destroy();
  });

  test('an open tunnel ends soon after its token is revoked', async () => {
    const doomed = await gateway.token({ args: ['--expires', '30d'] });
    const raw = await open([`Authorization: Bearer ${doomed}`]);
    assert.equal(status(await raw.nextResponse()), 101);
    const { stdout } = await gateway.command(['token', 'list', '--user', 'alice', '--json']);
    const ids = [...stdout.matchAll(/"id":\s*"([^"]+)"/g)].map(([, id]) => id ?? '');
    assert.ok(ids.length > 0, stdout);
    for (const id of ids) {
      const shown = await gateway.command(['token', 'show', id, '--json']);
      const { expiresAt } = JSON.parse(shown.stdout) as { readonly expiresAt?: unknown };
      if (typeof expiresAt === 'string' || typeof expiresAt === 'number') {
        await gateway.command(['token', 'revoke', id]);
      }
    }
    await within('the end of the tunnel', 8_000, raw.closed);
  });

  test('TERM cuts a tunnel after the drain time and still exits with 0', async () => {
    const short = await startGateway({ backend: backendUrl(), config: { limits: { drain: '1s' } } });
    await short.user('alice');
    const raw = await openRaw(short.port);
    await raw.send(head('GET', '/ws/echo', [...handshake, `Authorization: Bearer ${await short.token()}`]));
    assert.equal(status(await raw.nextResponse()), 101);
    short.term();
    assert.deepEqual(await within('the exit', 10_000, short.exited), { code: 0, signal: null });
    await within('the cut', 1_000, raw.closed);
    await short.stop();
  });

  test('an upgrade when the backend is away is answered 502', async () => {
    const down = await startGateway({ backend: 'http://127.0.0.1:1' });
    try {
      await down.user('alice');
      const fields = [...handshake, `Authorization: Bearer ${await down.token()}`];
      assert.equal(status(await exchange(down.port, 'GET', '/ws/echo', fields)), 502);
      assert.equal(await down.metric('latchkey_upstream_errors_total', { reason: 'backend_unreachable' }), 1);
    } finally {
      await down.stop();
    }
  });
});
