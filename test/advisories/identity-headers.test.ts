import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { route } from '../support/gateway.ts';
import { field } from '../support/http-message.ts';
import { photos, secret, startWire, type Wire } from './wire.ts';

/** Every character beside letters and digits that RFC 9110 section 5.6.2 allows in a field name. */
const separators = "!#$%&'*+-.^_`|~";

/** All that a backend which folds names could take for this one. */
function aliases(name: string): readonly string[] {
  const parts = name.split('-');
  const spelled = separators.split('').flatMap((one) => [parts.join(one), parts.join(one).toUpperCase()]);
  const mixed = parts.length > 2 ? ['-_', '_-', '.-', '-.', '_.', '._'] : [];
  return [
    ...spelled,
    ...mixed.map(([first, second]) => `${parts[0]}${first}${parts[1]}${second}${parts.slice(2).join('-')}`),
  ];
}

describe('who is speaking, and of what', () => {
  let wire: Wire;
  let token: string;
  before(async () => {
    wire = await startWire((backend) => ({
      routes: [
        route({ backend, identity: { user: 'X-Remote-User', headers: { 'Remote-Token': '{tokenId}' } } }),
        route({ name: 'bare', match: { path: '/bare/' }, backend, identity: { user: null } }),
      ],
    }));
    token = await wire.bearer(`path:${photos}/:rw`, 'route:bare:rw');
  });
  after(() => wire?.stop());

  test('no alias of an identity header passes: CGI, WSGI, PHP and FastCGI fold them all [CVE-2025-64484, CVE-2026-39858, CVE-2026-54763, CVE-2026-88011, CVE-2026-52845]', async () => {
    const fold = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
    for (const name of ['X-Remote-User', 'Remote-Token']) {
      const spoofed = aliases(name).map((alias) => `${alias}: admin`);
      const seen = await wire.assertForwarded('GET', `${photos}/a.jpg`, [token, ...spoofed]);
      const passed = seen.fields.filter(([other]) => fold(other) === fold(name));
      assert.equal(passed.length, 1, JSON.stringify(passed));
      assert.ok(!seen.head.includes('admin'), seen.head);
      assert.equal(field(seen, 'X-Remote-User'), 'alice');
    }
  });

  test('an identity header of the client is dropped where the gateway sets none, and buys nothing without a credential [CVE-2026-30851, CVE-2026-54089]', async () => {
    const spoofed = [
      'X-Remote-User: admin',
      'Remote-Token: admin',
      'Remote-User: admin',
      'X-Auth-Request-User: admin',
    ];
    const seen = await wire.assertForwarded('GET', '/bare/a', [token, ...spoofed]);
    assert.ok(!seen.head.includes('admin'), seen.head);
    await wire.assertRefused([401], 'GET', '/bare/a', spoofed);
    await wire.assertRefused([401], 'GET', `${photos}/a.jpg`, spoofed);
  });

  test('what a client says of an original URL changes neither decision nor target, and goes nowhere [CVE-2026-40575, CVE-2026-76835, CVE-2023-27487]', async () => {
    const names = [
      'X-Original-URL',
      'X-Original-URI',
      'X-Rewrite-URL',
      'X-Forwarded-Uri',
      'X-Forwarded-Path',
      'X-Forwarded-Method',
      'X-Original-Method',
      'X-Envoy-Original-Path',
      'X-Envoy-Original-Method',
    ];
    const claims = (value: string): readonly string[] => names.map((name) => `${name}: ${value}`);
    await wire.assertRefused([403], 'GET', secret, [token, ...claims(`${photos}/a.jpg`)]);
    const seen = await wire.assertForwarded('GET', `${photos}/a.jpg`, [token, ...claims(secret)]);
    assert.equal(seen.target, `${photos}/a.jpg`);
    for (const name of names) assert.equal(field(seen, name), null, name);
  });

  test('forwarding fields of a client are replaced by what the socket says: nobody is trusted by default [CVE-2026-33495, CVE-2026-35051]', async () => {
    const seen = await wire.assertForwarded('GET', `${photos}/a.jpg`, [
      token,
      'X-Forwarded-Proto: https',
      'X-Forwarded-Prefix: /admin',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-For: 192.0.2.1',
      'Forwarded: for=192.0.2.1;host=evil.example;proto=https',
    ]);
    assert.equal(field(seen, 'X-Forwarded-Proto'), 'http');
    assert.equal(field(seen, 'X-Forwarded-Host'), 'gw.example');
    assert.equal(field(seen, 'X-Forwarded-For'), '127.0.0.1');
    assert.ok(!/evil|admin|192\.0\.2\.1/.test(seen.head), seen.head);
  });
});
