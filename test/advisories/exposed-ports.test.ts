import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loaded } from '../unit/config/in-memory-sources.ts';
import { startWire, type Wire } from './wire.ts';

describe('the admin listener', () => {
  let wire: Wire;
  before(async () => {
    wire = await startWire();
  });
  after(() => wire?.stop());

  test('is on loopback unless it is configured, and nothing of it is on the public port [CVE-2020-11710]', async () => {
    assert.equal(loaded({ yaml: 'backend: http://127.0.0.1:8008' }).config.admin.host, '127.0.0.1');
    for (const path of ['/livez', '/readyz', '/metrics']) await wire.assertRefused([401], 'GET', path, []);
    const token = await wire.bearer('*');
    for (const path of ['/.latchkey/metrics', '/.latchkey/readyz', '/%2Elatchkey/']) {
      await wire.assertRefused([404], 'GET', path, [token]);
    }
    await wire.assertRefused([401], 'GET', '/.latchkey/api/v1/tokens', [token]);
    await wire.assertRefused([303], 'GET', '/.latchkey/', [token]);
  });
});
