import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { field, status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { photos, startWire, type Wire } from './wire.ts';

describe('a Connection field', () => {
  let wire: Wire;
  let token: string;
  before(async () => {
    wire = await startWire();
    token = await wire.bearer(`path:${photos}/:rw`);
  });
  after(() => wire?.stop());

  test('cannot take away what the gateway says of the client [GHSA-w9mr-28mw-j8hg, CVE-2024-45410, CVE-2026-29054, CVE-2026-33805, CVE-2022-31813]', async () => {
    const names = ['X-Remote-User', 'x-remote-USER', 'X_Remote_User', 'X-Forwarded-For', 'X-Forwarded-Proto'];
    const nominations = [
      ...names.map((name) => [`Connection: ${name}`]),
      [`Connection: close, ${names.join(', ')}`],
      ['Connection: keep-alive', 'Connection: X-Remote-User'],
      ['Connection: ,, X-Remote-User ,'],
      ['Connection: X-Remote-User', 'X-Remote-User: admin'],
      ['Proxy-Connection: X-Remote-User', 'Keep-Alive: X-Remote-User'],
    ];
    for (const fields of nominations) {
      const seen = await wire.assertForwarded('GET', `${photos}/a.jpg`, [token, ...fields]);
      const said = `${fields.join('; ')}: ${seen.head}`;
      assert.equal(field(seen, 'X-Remote-User'), 'alice', said);
      assert.equal(field(seen, 'X-Forwarded-For'), '127.0.0.1', said);
      assert.equal(field(seen, 'X-Forwarded-Proto'), 'http', said);
      assert.ok(!/connection: [^\r\n]*remote/i.test(seen.head), said);
    }
  });

  test('cannot take away what the decision rests on [CVE-2024-45410, CVE-2026-33805, CVE-2022-31813]', async () => {
    for (const name of [
      'Authorization',
      'Host',
      'Destination',
      'Depth',
      'Overwrite',
      'If',
      'Content-Length',
    ]) {
      wire.backend.forget();
      const fields = [token, `Connection: ${name}`, `Destination: ${photos}/b`, 'Depth: 0', 'Overwrite: F'];
      const answer = await exchange(wire.gateway.port, 'COPY', `${photos}/a.jpg`, fields);
      assert.equal(status(answer), 400, name);
      assert.equal(wire.backend.text(), '', name);
    }
  });
});
