import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { deliver, methodOf } from '../support/arrival.ts';
import { caseTitle, expandRaw, framingCases } from '../support/cases.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type ClientTunnel, startClientTunnel } from '../support/client-tunnel.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { assertVerdict } from '../support/framing-verdict.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

/** Known to Node, if not to its types. */
const halfOpen: object = { allowHalfOpen: true };

describe('TLS on the public port', () => {
  let scratch: Scratch;
  let ca: string;
  let backend: RecordingBackend;
  let gateway: Gateway;
  let token: string;
  let tunnel: ClientTunnel;
  before(async () => {
    scratch = await makeScratch('tls-listener');
    ca = await makeCertificates(scratch);
    backend = await startRecordingBackend();
    gateway = await startGateway({
      backend: backend.url,
      config: { limits: { head: '2s', requestsPerToken: 4_096, connectionsPerClient: 4_096 } },
      listen: {
        tls: {
          cert: { fromFile: scratch.file('server.pem') },
          key: { fromFile: scratch.file('server.key') },
        },
      },
    });
    await gateway.user('alice');
    token = await gateway.token({ scopes: ['path:/dav/files/alice/Photos/:rw'] });
    tunnel = await startClientTunnel(() => open({ ALPNProtocols: ['http/1.1'], ...halfOpen }));
  });
  after(() =>
    endAll(
      () => tunnel?.close(),
      () => gateway?.stop(),
      () => backend?.close(),
      () => scratch?.remove(),
    ),
  );

  const open = (options: ConnectionOptions = {}): TLSSocket =>
    connect({ port: gateway.port, host: '127.0.0.1', servername: 'localhost', ca, ...options });

  /** A connection whose handshake is over. */
  const handshake = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = open(options);
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve).once('error', reject);
    });
    return socket.on('error', () => undefined);
  };
  /** The code with which a handshake ends that comes to nothing. */
  const refusal = async (options: ConnectionOptions): Promise<string> => {
    const socket = await handshake(options).catch((error: NodeJS.ErrnoException) => error.code ?? '');
    if (typeof socket === 'string') return socket;
    socket.destroy();
    return 'none';
  };

  test('an honest request passes, and the backend is told that the client spoke https', async () => {
    backend.forget();
    const answer = await exchange(tunnel.port, 'GET', '/dav/files/alice/Photos/a.jpg', [
      `Authorization: Bearer ${token}`,
    ]);
    assert.equal(status(answer), 200);
    const [request] = backend.requests;
    assert.ok(request);
    assert.equal(field(request, 'x-forwarded-proto'), 'https');
    assert.equal(field(request, 'x-forwarded-for'), '127.0.0.1');
  });

  test('TLS 1.3 and 1.2 are spoken, 1.1 is not', async () => {
    for (const [version, wanted] of [
      ['TLSv1.3', 'TLSv1.3'],
      ['TLSv1.2', 'TLSv1.2'],
    ] as const) {
      const socket = await handshake({ minVersion: version, maxVersion: version });
      assert.equal(socket.getProtocol(), wanted);
      socket.destroy();
    }
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    assert.match(await refusal(old), /^ERR_SSL_|^EPROTO|^ECONNRESET/);
  });

  test('TLS 1.2 has forward secrecy and authenticated encryption, or is not spoken', async () => {
    const only = (ciphers: string): ConnectionOptions => ({ maxVersion: 'TLSv1.2', ciphers });
    for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA']) {
      assert.match(await refusal(only(ciphers)), /^ERR_SSL_|^ECONNRESET/, ciphers);
    }
    const socket = await handshake(only('ECDHE-ECDSA-CHACHA20-POLY1305'));
    socket.destroy();
  });

  test('a protocol that is not served is refused in the handshake (RFC 7301)', async () => {
    assert.equal(await refusal({ ALPNProtocols: ['ftp'] }), 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  });

  test('plain HTTP is no handshake: it is closed and counted', async () => {
    const before = await gateway.metric('latchkey_tls_handshakes_failed_total');
    await assert.rejects(exchange(gateway.port, 'GET', '/'), /the connection closed/);
    assert.ok((await gateway.metric('latchkey_tls_handshakes_failed_total')) > before);
  });

  test('a handshake that does not come is not waited for longer than limits.head', async () => {
    const socket = connectPlain(gateway.port, '127.0.0.1');
    await new Promise((resolve) => {
      socket
        .once('close', resolve)
        .on('error', () => undefined)
        .resume();
    });
    assert.equal(socket.destroyed, true);
  });

  // That the client speaks https is no hearsay here.
  for (const each of framingCases().filter(({ id }) => id !== 'forwarded-hearsay')) {
    test(`in TLS: ${caseTitle(each)}`, { todo: each.todo ?? false }, async () => {
      backend.forget();
      const bytes = expandRaw(each.raw, token);
      const [seen] = await deliver(tunnel.port, [{ packets: [bytes], methods: [methodOf(bytes)] }]);
      assert.ok(seen);
      assertVerdict(each, seen, backend);
    });
  }

  test('a certificate whose files are replaced is shown to who comes next; connections stay', async () => {
    const stays = await handshake();
    const former = stays.getPeerCertificate().fingerprint256;
    const formerEnd = await gateway.metric('latchkey_tls_certificate_expiry_timestamp_seconds');
    assert.equal(formerEnd, Date.parse(stays.getPeerCertificate().valid_to) / 1_000);
    const renewed = await makeScratch('tls-listener-renewed');
    try {
      const authority = await makeCertificates(renewed);
      for (const name of ['server.pem', 'server.key']) {
        await writeFile(scratch.file(name), await readFile(renewed.file(name)));
      }
      const shown = await eventually('the new certificate', async () => {
        const socket = await handshake({ ca: authority });
        const { fingerprint256 } = socket.getPeerCertificate();
        socket.destroy();
        return fingerprint256;
      });
      assert.notEqual(shown, former);
      assert.equal(stays.destroyed, false);
      assert.equal(await gateway.metric('latchkey_tls_certificate_last_reload_successful'), 1);
      ca = authority;
    } finally {
      stays.destroy();
      await renewed.remove();
    }
  });

  test('a HUP with a key of another certificate keeps the old pair, and everything else', async () => {
    const whole = await readFile(scratch.file('server.key'), 'utf8');
    await writeFile(scratch.file('server.key'), await readFile(scratch.file('ca.key')));
    gateway.hup();
    await eventually('the refused reload', () =>
      gateway.output().includes('not reloaded, the old configuration stays in force'),
    );
    assert.match(gateway.output(), /listen\.tls\.key: is not the key of the first certificate in cert/);
    const socket = await handshake();
    socket.destroy();
    await eventually('the metric', async () =>
      gateway.metric('latchkey_tls_certificate_last_reload_successful').then((value) => value === 0),
    );
    await writeFile(scratch.file('server.key'), whole);
    gateway.hup();
    await eventually('the metric', async () =>
      gateway.metric('latchkey_tls_certificate_last_reload_successful').then((value) => value === 1),
    );
  });
});
