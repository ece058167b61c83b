import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { within } from '../support/eventually.ts';
import { status } from '../support/http-message.ts';
import { head, openRaw } from '../support/raw-client.ts';
import { photos, secret, startWire, type Wire } from './wire.ts';

describe('request heads', () => {
  let wire: Wire;
  let token: string;
  before(async () => {
    wire = await startWire();
    token = await wire.bearer(`path:${photos}/:rw`);
  });
  after(() => wire?.stop());

  /** Sends bytes, asserts one refusal, the connection closed by the gateway, and silence at the backend. */
  async function assertRefusedOnce(bytes: string, statuses: readonly number[]): Promise<void> {
    wire.backend.forget();
    const raw = await openRaw(wire.gateway.port);
    try {
      await raw.send(bytes);
      assert.ok(statuses.includes(status(await raw.nextResponse())), JSON.stringify(bytes));
      raw.socket.end();
      await within('the close', 5_000, raw.closed);
      assert.deepEqual(raw.responses, [], JSON.stringify(bytes));
      assert.equal(wire.backend.text(), '', JSON.stringify(bytes));
    } finally {
      raw.destroy();
    }
  }

  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: gw.example\r\n\r\n';

  test('a head that ends in anything but an empty line is refused, and nothing behind it is read [CVE-2025-23167]', async () => {
    const lines = [`GET ${photos}/a HTTP/1.1`, 'Host: gw.example', token].join('\r\n');
    for (const end of ['\r\n\rX', '\r\n\r\r\n', '\n\r\n', '\r\n \r\n', '\r\r\n']) {
      await assertRefusedOnce(`${lines}${end}${smuggled}`, [400]);
    }
  });

  test('lengths that stand twice in any case, agree or not, are refused [CVE-2026-1525]', async () => {
    const post = (...lengths: readonly string[]): string =>
      `${head('POST', `${photos}/a`, [token, ...lengths])}ab`;
    await assertRefusedOnce(post('Content-Length: 2', 'content-length: 2'), [400]);
    await assertRefusedOnce(post('content-length: 0', 'CONTENT-LENGTH: 2'), [400]);
    await assertRefusedOnce(post('Content-Length: 2', 'Transfer-Encoding: chunked'), [400]);
  });

  test('fields that decide may not stand twice: who reads the first and who the last would differ [CVE-2020-25017]', async () => {
    for (const pair of [
      ['Authorization: Bearer other'],
      ['Host: evil.example'],
      ['Depth: 0', 'Depth: infinity'],
      ['X-HTTP-Method-Override: GET', 'X-HTTP-Method: DELETE'],
      ['Overwrite: F', 'overwrite: T'],
    ]) {
      await assertRefusedOnce(head('GET', `${photos}/a`, [token, ...pair]), [400]);
      await assertRefusedOnce(head('GET', `${photos}/a`, [...pair, token]), [400]);
    }
  });

  test('bytes that are not UTF-8 open nothing, in whatever field they stand [GHSA-9g5w-hqr3-w2ph]', async () => {
    for (const bad of ['\xff\xfe', '\xc3\x28', '\xed\xa0\x80', 'a\xa0b']) {
      await wire.assertRefused([401], 'GET', `${photos}/a`, [`X-Custom: ${bad}`]);
      await wire.assertRefused([403], 'GET', secret, [token, `X-Custom: ${bad}`]);
      await wire.assertRefused([400], 'GET', `${photos}/a`, [`Authorization: Bearer ${bad}`]);
      await wire.assertRefused([400, 401], 'GET', `${photos}/a`, [`Authorization: ${bad}`]);
      const user = Buffer.from(`${bad}:x`, 'latin1').toString('base64');
      await wire.assertRefused([400], 'GET', `${photos}/a`, [`Authorization: Basic ${user}`]);
      await wire.assertRefused([400], 'COPY', `${photos}/a`, [token, `Destination: ${photos}/${bad}`]);
      await wire.assertRefused([400], 'GET', `${photos}/a${bad}`, [token]);
    }
  });

  test('what follows an upgrade before it is decided reaches nobody, and only a WebSocket is upgraded [CVE-2026-73548]', async () => {
    const upgrade = (target: string, protocol: string): string =>
      head('GET', target, [
        token,
        'Connection: Upgrade',
        `Upgrade: ${protocol}`,
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ]);
    await assertRefusedOnce(upgrade(secret, 'websocket') + smuggled, [403]);
    await assertRefusedOnce(upgrade('/dav/%2e%2e/x', 'websocket') + smuggled, [400]);
    for (const protocol of ['h2c', 'TLS/1.0', 'h2c, websocket']) {
      wire.backend.forget();
      const raw = await openRaw(wire.gateway.port);
      await raw.send(upgrade(`${photos}/a`, protocol));
      assert.ok([200, 400, 426].includes(status(await raw.nextResponse())), protocol);
      raw.destroy();
      assert.ok(!/upgrade/i.test(wire.backend.text()), `${protocol}: ${wire.backend.text()}`);
    }
  });

  test('names that are properties of every object are ordinary names [CVE-2026-21710]', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__'];
    const seen = await wire.assertForwarded('GET', `${photos}/a?__proto__=1&constructor=2`, [
      token,
      ...names.map((name) => `${name}: x`),
    ]);
    assert.equal(seen.target, `${photos}/a?__proto__=1&constructor=2`);
    for (const name of ['__proto__', 'constructor']) {
      await wire.assertRefused([401], 'GET', `${photos}/a?${name}=x`, [`${name}: ${token}`]);
      await wire.assertRefused([401], 'GET', `${photos}/a`, [`Authorization: ${name} x`]);
    }
  });
});
