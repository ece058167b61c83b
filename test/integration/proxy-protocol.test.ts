import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { startChild } from '../support/child-process.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { findProgram, requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';

describe('the PROXY protocol', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let authorization: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway({
      backend: backend.url,
      listen: { proxyProtocol: true },
      config: { trustedProxies: ['127.0.0.1'], limits: { head: '2s' } },
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

  /** What the backend is told of who asked behind this header, which comes in these packets. */
  const forwardedFor = async (...packets: readonly string[]): Promise<string | null> => {
    backend.forget();
    const raw = await openRaw(gateway.port);
    try {
      for (const packet of packets) await raw.send(packet);
      await raw.send(head('GET', '/a', [authorization, 'X-Forwarded-For: 198.51.100.1']));
      assert.equal(status(await raw.nextResponse()), 200);
      const [request] = backend.requests;
      return request === undefined ? null : (field(request, 'x-forwarded-for') ?? null);
    } finally {
      raw.destroy();
    }
  };

  test('the client that the header names is the client, and its own X-Forwarded-For is hearsay', async () => {
    assert.equal(await forwardedFor('PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n'), '203.0.113.7');
    assert.equal(await forwardedFor('PROXY TCP6 2001:db8::7 ::1 4711 80\r\n'), '2001:db8::7');
    assert.equal(await forwardedFor('PRO', 'XY TCP4 203.0.113.8 127.0.0.1 47', '11 80\r\n'), '203.0.113.8');
    await eventually('the access line', () => gateway.output().includes('"clientAddress":"203.0.113.7"'));
  });

  test('a client that its proxy would not name lies within no network', async () => {
    assert.equal(await forwardedFor('PROXY UNKNOWN\r\n'), 'unknown');
  });

  const refused: readonly (readonly [string, string, string | undefined])[] = [
    ['no header', head('GET', '/a'), undefined],
    ['a malformed header', 'PROXY TCP4 1.2.3.4\r\n', undefined],
    [
      'a header from somebody who is not trusted',
      'PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n',
      '127.0.0.9',
    ],
    ['silence', '', undefined],
  ];
  for (const [title, bytes, localAddress] of refused) {
    test(`${title}: the connection is reset, counted, and logged without a byte of it`, async () => {
      const labels = { limit: 'proxyProtocol' };
      const before = await gateway.metric('latchkey_client_connections_refused_total', labels);
      const raw = await openRaw(gateway.port, localAddress === undefined ? {} : { localAddress });
      await raw.send(bytes);
      await raw.closed;
      assert.equal(raw.received().length, 0);
      assert.equal(await gateway.metric('latchkey_client_connections_refused_total', labels), before + 1);
      await eventually('the log', () => gateway.output().includes('"limit":"listen.proxyProtocol"'));
      assert.doesNotMatch(gateway.output(), /PROXY TCP4/);
    });
  }

  for (const sender of ['send-proxy', 'send-proxy-v2', 'send-proxy-v2-ssl']) {
    test(`HAProxy names its client by ${sender}`, requireProgram('haproxy'), async () => {
      const scratch = await makeScratch('haproxy');
      const port = await freePort();
      const config = [
        'defaults',
        '  mode tcp',
        '  timeout connect 5s',
        '  timeout client 5s',
        '  timeout server 5s',
        'frontend f',
        `  bind 127.0.0.1:${port}`,
        '  default_backend b',
        'backend b',
        `  server s 127.0.0.1:${gateway.port} ${sender}`,
        '',
      ];
      await writeFile(scratch.file('haproxy.cfg'), config.join('\n'));
      const child = startChild({
        label: 'haproxy',
        command: findProgram('haproxy') as string,
        args: ['-db', '-f', scratch.file('haproxy.cfg')],
        cwd: scratch.path,
      });
      try {
        backend.forget();
        const answer = await eventually('an answer', async () => {
          const raw = await openRaw(port, { localAddress: '127.0.0.5' });
          try {
            await raw.send(head('GET', '/a', [authorization]));
            return await raw.nextResponse();
          } finally {
            raw.destroy();
          }
        });
        assert.equal(status(answer), 200);
        const [request] = backend.requests;
        assert.equal(request && field(request, 'x-forwarded-for'), '127.0.0.5');
      } finally {
        await child.stop();
        await scratch.remove();
      }
    });
  }

  test('health of the gateway does not depend on a header', async () => {
    assert.equal(status(await exchange(gateway.adminPort, 'GET', '/readyz')), 200);
  });
});
