import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { startStreamingBackend } from '../support/streaming-backend.ts';
import type { StreamingBackend } from '../support/streaming-backend.ts';
import { transfer } from '../support/transfer.ts';

const fiveGigabytes = 5_000_000_000;
const residentMaxBytes = 200 * 1024 ** 2;

describe('5 GB through the gateway', () => {
  let backend: StreamingBackend;
  let gateway: Gateway;
  let token: string;
  before(async () => {
    backend = await startStreamingBackend();
    gateway = await startGateway({ backend: backend.url });
    await gateway.user('alice');
    token = await gateway.token();
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );

  test('a PUT of 5 GB arrives whole with the gateway below 200 MiB resident', async () => {
    const done = await transfer(gateway, token, '/count', fiveGigabytes);
    assert.equal(done.text, String(fiveGigabytes));
    assert.ok(done.residentPeakBytes < residentMaxBytes, `${done.residentPeakBytes} bytes`);
  });

  test('a GET of 5 GB arrives whole with the gateway below 200 MiB resident', async () => {
    const done = await transfer(gateway, token, `/${fiveGigabytes}`, 0);
    assert.equal(done.received, fiveGigabytes);
    assert.ok(done.residentPeakBytes < residentMaxBytes, `${done.residentPeakBytes} bytes`);
  });
});
