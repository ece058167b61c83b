import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { endAll } from '../support/end-all.ts';
import { eventually, within } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { head, openRaw } from '../support/raw-client.ts';
import { startStreamingBackend } from '../support/streaming-backend.ts';
import type { StreamingBackend } from '../support/streaming-backend.ts';
import { transfer } from '../support/transfer.ts';

const MiB = 1024 ** 2;
const residentMaxBytes = 200 * MiB;
/** What the product promises for passing on that one side has gone. */
const promptlyMs = 1_000;

describe('bodies stream through', () => {
  let backend: StreamingBackend;
  let gateway: Gateway;
  let token: string;
  let authorization: string;
  before(async () => {
    backend = await startStreamingBackend();
    gateway = await startGateway({ backend: backend.url });
    await gateway.user('alice');
    token = await gateway.token();
    authorization = `Authorization: Bearer ${token}`;
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );

  test('512 MiB up with the gateway below 200 MiB resident', async () => {
    const done = await transfer(gateway, token, '/count', 512 * MiB);
    assert.equal(done.status, 200);
    assert.equal(done.text, String(512 * MiB));
    assert.ok(done.residentPeakBytes < residentMaxBytes, `${done.residentPeakBytes / MiB} MiB`);
  });

  for (const suffix of ['', '?chunked']) {
    test(`512 MiB down ${suffix === '' ? 'with' : 'without'} a length, below 200 MiB resident`, async () => {
      const done = await transfer(gateway, token, `/${512 * MiB}${suffix}`, 0);
      assert.equal(done.received, 512 * MiB);
      assert.ok(done.residentPeakBytes < residentMaxBytes, `${done.residentPeakBytes / MiB} MiB`);
    });
  }

  test('a client that stops reading stops the backend from sending', async () => {
    const arrived = backend.nextRequest();
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(head('GET', `/${512 * MiB}`, [authorization]));
    socket.pause();
    const request = await arrived;
    const sent = await untilSteady(() => request.sent());
    assert.ok(sent < 64 * MiB, `${sent / MiB} MiB were taken from the backend`);
    assert.ok((await gateway.residentBytes()) < residentMaxBytes);
    socket.destroy();
    assert.equal(await within('the end of the backend request', 5_000, request.over), true);
  });

  test('a backend that stops reading stops the client from sending', async () => {
    const arrived = backend.nextRequest();
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(head('PUT', '/deaf', [authorization, `Content-Length: ${512 * MiB}`]));
    let left = 512;
    const pump = (): void => {
      while (left > 0) {
        left -= 1;
        if (!socket.write(Buffer.alloc(MiB))) return;
      }
    };
    socket.on('drain', pump);
    socket.resume();
    pump();
    const request = await arrived;
    const taken = await untilSteady(() => socket.bytesWritten - socket.writableLength);
    assert.ok(taken < 64 * MiB, `${taken / MiB} MiB were taken from the client`);
    // That the client goes is not seen through a full window: the backend ends it.
    // Whether its writes meet a FIN or a reset, the client's socket closes.
    const closed = new Promise((resolve) => socket.once('close', resolve));
    request.reset();
    await within('the end for the client', 5_000, closed);
  });

  for (const [what, target, fields, body] of [
    ['while it uploads', '/count', ['Content-Length: 1000000'], 'x'.repeat(40_000)],
    ['while it waits for an answer', '/deaf', ['Content-Length: 4'], 'body'],
    ['while it downloads', `/${512 * MiB}`, [], ''],
  ] as const) {
    test(`a client that goes away ${what} ends the backend request within a second`, async () => {
      const arrived = backend.nextRequest();
      const raw = await openRaw(gateway.port);
      const method = fields.length > 0 ? 'PUT' : 'GET';
      await raw.send(head(method, target, [authorization, ...fields]) + body);
      const request = await arrived;
      raw.destroy();
      assert.equal(await within('the end of the backend request', promptlyMs, request.over), true);
    });
  }

  for (const [what, target, fields] of [
    ['during an upload', '/count', ['Content-Length: 1000000']],
    ['during a download', `/${512 * MiB}`, []],
  ] as const) {
    test(`a backend that resets ${what} ends the client's request within a second`, async () => {
      const arrived = backend.nextRequest();
      const raw = await openRaw(gateway.port);
      await raw.send(head(fields.length > 0 ? 'PUT' : 'GET', target, [authorization, ...fields]));
      if (fields.length > 0) await raw.send('x'.repeat(40_000));
      const request = await arrived;
      if (fields.length === 0) await eventually('bytes to come', () => raw.received().length > MiB);
      request.reset();
      await within('the end for the client', promptlyMs, raw.closed);
      if (fields.length > 0) assert.match(raw.received().toString('latin1'), /^HTTP\/1\.1 502 /);
      raw.destroy();
    });
  }
});

/** The value of `read` once it has not moved for half a second. */
async function untilSteady(read: () => number): Promise<number> {
  let last = -1;
  let since = performance.now();
  return eventually(
    'the transfer to stand still',
    async () => {
      const now = read();
      if (now !== last) {
        last = now;
        since = performance.now();
      }
      await delay(20);
      return performance.now() - since > 500 && last > 0 ? last : null;
    },
    { withinMs: 15_000 },
  );
}
