import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import type { HttpMessage } from '../../support/http-message.ts';
import { openRaw } from '../../support/raw-client.ts';
import { authorized, startListener } from '../server/listener-fixture.ts';

let folder: string;
let server: Server;
let ca: string;
const serverNames: unknown[] = [];
const hosts: unknown[] = [];

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'latchkey-tls-'));
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=backend', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await promisify(execFile)('openssl', ['req', '-x509', ...newKey, '-keyout', key, '-out', cert, ...subject]);
  ca = await readFile(cert, 'utf8');
  server = createServer({ key: await readFile(key), cert: ca }, (req, res) => {
    serverNames.push((req.socket as TLSSocket).servername);
    hosts.push(req.headers.host);
    res.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

async function ask(port: number, host: string, fields: readonly string[] = []): Promise<HttpMessage> {
  const raw = await openRaw(port);
  await raw.send(['GET /dav/a HTTP/1.1', `Host: ${host}`, authorized, ...fields, '', ''].join('\r\n'));
  const answer = await raw.nextResponse();
  raw.destroy();
  return answer;
}

describe('a backend behind TLS', () => {
  const origin = (host: string): string => `https://${host}:${(server.address() as AddressInfo).port}`;

  for (const [host, name] of [
    ['localhost', 'localhost'],
    ['127.0.0.1', false],
  ] as const) {
    test(`shows the certificate of ${host}, whatever Host the client asks for, over one connection`, async (t) => {
      let connections = 0;
      server.on('secureConnection', () => connections++);
      const { port, faults } = await startListener(t, { route: { backend: [origin(host)], backendCa: ca } });
      for (const asked of ['gw.example', 'evil.test', 'other.example']) {
        const answer = await ask(port, asked);
        assert.match(answer.startLine, / 200 /, String(faults[0]));
        assert.deepEqual([serverNames.pop(), hosts.pop()], [name, asked]);
      }
      assert.equal(connections, 1);
    });
  }

  for (const host of ['localhost', '127.0.0.1']) {
    test(`shows the certificate of ${host} to a WebSocket, too`, async (t) => {
      server.once('upgrade', (req, socket) => {
        hosts.push(req.headers.host);
        socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      });
      const { port, faults } = await startListener(t, { route: { backend: [origin(host)], backendCa: ca } });
      const handshake = [
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ];
      const answer = await ask(port, 'gw.example', handshake);
      assert.match(answer.startLine, / 101 /, String(faults[0]));
      assert.equal(hosts.pop(), 'gw.example');
    });
  }

  test('whose certificate is signed by nobody we trust is not used [S16, CVE-2026-107318]', async (t) => {
    const { port } = await startListener(t, { route: { backend: [origin('localhost')], backendCa: null } });
    assert.match((await ask(port, 'gw.example')).startLine, / 502 /);
  });
});
