import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createPlain } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createServer as createTls, type TLSSocket } from 'node:tls';
import { run } from '../support/child-process.ts';
import { eventually, within } from '../support/eventually.ts';
import { status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { authorized, startListener } from '../unit/server/listener-fixture.ts';

interface Certificate {
  readonly key: string;
  readonly cert: string;
}

let scratch: Scratch;
let good: Certificate;
let expired: Certificate;
let foreign: Certificate;

before(async () => {
  scratch = await makeScratch('tls-outages');
  good = await certify('good', 'localhost', '20200101000000Z', '20991231000000Z');
  expired = await certify('expired', 'localhost', '20200101000000Z', '20200102000000Z');
  foreign = await certify('foreign', 'elsewhere.example', '20200101000000Z', '20991231000000Z');
});
after(() => scratch?.remove());

/** A certificate for that name, signed by itself, good between these two times (ASN.1 GeneralizedTime). */
async function certify(id: string, name: string, from: string, to: string): Promise<Certificate> {
  const file = (kind: string): string => scratch.file(`${id}.${kind}`);
  const config = [
    ...['[ca]', 'default_ca=own', '[own]', `database=${file('index')}`, `serial=${file('serial')}`],
    ...[`new_certs_dir=${scratch.path}`, 'default_md=sha256', 'policy=names', 'x509_extensions=extensions'],
    ...['[names]', 'commonName=supplied', '[extensions]', `subjectAltName=DNS:${name}`],
    ...['[req]', 'distinguished_name=none', '[none]'],
  ];
  await writeFile(file('conf'), config.join('\n'));
  await writeFile(file('index'), '');
  await writeFile(file('serial'), '01');
  const openssl = async (...args: readonly string[]): Promise<void> => {
    const done = await run({ label: 'openssl', command: 'openssl', args, cwd: scratch.path, env: {} });
    assert.equal(done.code, 0, done.stderr);
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key')];
  const configured = ['-config', file('conf')];
  await openssl('req', '-new', ...newKey, '-subj', `/CN=${name}`, '-out', file('csr'), ...configured);
  const times = ['-startdate', from, '-enddate', to];
  const signing = ['-selfsign', '-batch', '-notext', '-keyfile', file('key'), '-in', file('csr')];
  await openssl('ca', ...signing, ...times, '-out', file('cert'), ...configured);
  return { key: await readFile(file('key'), 'utf8'), cert: await readFile(file('cert'), 'utf8') };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server that shows this certificate, and does this at each packet. */
function tlsServer(certificate: Certificate, answer: (socket: TLSSocket) => void): Server {
  const server = createTls({ ...certificate }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => answer(socket));
  });
  server.on('tlsClientError', () => undefined);
  return server;
}

const fine = (socket: Socket): void => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine');
const handshake = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** What is wrong, the server, the scheme, and the outcome. */
const failures: readonly (readonly [string, () => Server, 'http' | 'https', RegExp])[] = [
  ['whose certificate has expired', () => tlsServer(expired, fine), 'https', /CERT_HAS_EXPIRED/],
  ['whose certificate is for another name', () => tlsServer(foreign, fine), 'https', /ALTNAME/],
  [
    'that answers TLS in plain text',
    () => createPlain((socket) => void socket.on('data', () => fine(socket))),
    'https',
    /EPROTO|ERR_SSL_/,
  ],
  [
    'that closes in the handshake',
    () => createPlain((socket) => void socket.once('data', () => socket.end())),
    'https',
    /ECONNRESET/,
  ],
  [
    'that resets in the handshake',
    () => createPlain((socket) => void socket.once('data', () => socket.resetAndDestroy())),
    'https',
    /ECONNRESET/,
  ],
  [
    'that refuses the handshake with an alert',
    () =>
      createPlain(
        (socket) =>
          void socket.once('data', () => socket.write('\u0015\u0003\u0003\0\u0002\u0002\u0028', 'latin1')),
      ),
    'https',
    /EPROTO|ERR_SSL_/,
  ],
  ['that never answers the handshake', () => createPlain(() => undefined), 'https', /TIMEOUT/],
  ['that speaks TLS where plain text is configured', () => tlsServer(good, fine), 'http', /: ./],
];

describe('a backend', () => {
  for (const [what, server, scheme, cause] of failures) {
    test(`${what} is 502 or 504, for a WebSocket too, and the reason names it`, async (t) => {
      const origin = `${scheme}://localhost:${await listen(t, server())}`;
      const backendCa = good.cert + expired.cert + foreign.cert;
      const { port, records } = await startListener(t, { route: { backend: [origin], backendCa } });
      for (const [method, fields] of [
        ['GET', []],
        ['PUT', ['Content-Length: 0']],
        ['GET', handshake],
      ] as const) {
        const answer = await exchange(port, method, '/dav/a', [authorized, ...fields]);
        assert.ok([502, 504].includes(status(answer)), answer.startLine);
      }
      await eventually('the records', () => records.length === 3);
      const reasons = records.map(({ reason }) => String(reason));
      assert.ok(
        reasons.every((reason) => reason.startsWith(`${origin}: `) && cause.test(reason)),
        String(reasons),
      );
      assert.ok(
        records.every(({ outcome }) => outcome.startsWith('backend_')),
        JSON.stringify(records),
      );
    });
  }

  for (const gone of ['http://gone.invalid:8080', 'https://gone.invalid']) {
    test(`whose name is not known, ${gone}, is 502, for a WebSocket too, and the reason names it`, async (t) => {
      const { port, records } = await startListener(t, { route: { backend: [gone] } });
      for (const fields of [[], handshake]) {
        assert.equal(status(await exchange(port, 'GET', '/dav/a', [authorized, ...fields])), 502);
      }
      assert.match(String(records[0]?.reason), /gone\.invalid.*: (ENOTFOUND|EAI_AGAIN)$/);
      assert.equal(records[0]?.outcome, 'backend_unreachable');
    });
  }

  test('that breaks TLS in the middle of a body has the client cut', async (t) => {
    const server = tlsServer(good, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello', () => {
        // Below TLS, so that it is no record.
        const raw = (socket as TLSSocket & { readonly _parent?: Socket })._parent;
        setTimeout(() => (raw ?? socket).resetAndDestroy(), 20);
      });
    });
    const origin = `https://localhost:${await listen(t, server)}`;
    const { port, records } = await startListener(t, { route: { backend: [origin], backendCa: good.cert } });
    const raw = await openRaw(port);
    await raw.send(head('GET', '/dav/a', [authorized]));
    await within('the cut', 5_000, raw.closed);
    assert.match(raw.received().toString('latin1'), /hello/);
    assert.deepEqual(raw.responses, []);
    const record = await eventually('the record', () => records[0]);
    assert.equal(record.outcome, 'backend_reset');
  });
});
