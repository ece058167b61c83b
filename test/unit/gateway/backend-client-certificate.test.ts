import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import type { RouteConfig } from '../../../src/config/config.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { status } from '../../support/http-message.ts';
import { exchange, openRaw } from '../../support/raw-client.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { authorized, startListener } from '../server/listener-fixture.ts';

describe('a backend that wants to see a certificate', () => {
  let scratch: Scratch;
  let server: Server;
  let route: Pick<RouteConfig, 'backend' | 'backendCa' | 'backendTls'>;
  const shown: (string | undefined)[] = [];
  before(async () => {
    scratch = await makeScratch('client-certificate');
    const ca = await makeCertificates(scratch);
    const pair = {
      cert: readFileSync(scratch.file('server.pem'), 'utf8'),
      key: readFileSync(scratch.file('server.key'), 'utf8'),
    };
    const subject = (socket: unknown): string | undefined => {
      const cn = (socket as TLSSocket).getPeerCertificate().subject?.CN;
      return typeof cn === 'string' ? cn : undefined;
    };
    server = createServer({ ...pair, ca, requestCert: true, rejectUnauthorized: true }, (req, res) => {
      shown.push(subject(req.socket));
      res.end();
    });
    server.on('upgrade', (req, socket) => {
      shown.push(subject(req.socket));
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    route = { backend: [`https://localhost:${port}`], backendCa: ca, backendTls: pair };
  });
  after(async () => {
    server?.close();
    await scratch?.remove();
  });

  const handshake = [
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  const askFor = (port: number, fields: readonly string[]): Promise<number> =>
    exchange(port, 'GET', '/a', [authorized, ...fields]).then(status);

  test('is shown the one of the route, by requests and by WebSockets', async (t) => {
    const { port } = await startListener(t, { route });
    assert.equal(await askFor(port, []), 200);
    const raw = await openRaw(port);
    t.after(() => raw.destroy());
    await raw.send(['GET /a HTTP/1.1', 'Host: gw.example', authorized, ...handshake, '', ''].join('\r\n'));
    assert.match((await raw.nextResponse()).startLine, / 101 /);
    assert.deepEqual(shown, ['localhost', 'localhost']);
  });

  test('lets nobody in where the route has none: 502', async (t) => {
    const { port } = await startListener(t, { route: { ...route, backendTls: null } });
    assert.equal(await askFor(port, []), 502);
  });
});
