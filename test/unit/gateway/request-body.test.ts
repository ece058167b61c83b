import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import type { ProgressWatch, Transfer } from '../../../src/gateway/progress.ts';
import { ClientGone, ClientStalled, collectBody, streamBody } from '../../../src/gateway/request-body.ts';

let server: Server;

before(async () => {
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(() => {
  server.closeAllConnections();
  server.close();
});

/** Sends a head and the start of a body; resolves when the server has the request. */
async function begin(text: string): Promise<{ client: Socket; req: IncomingMessage; res: ServerResponse }> {
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const request = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  client.write(`PUT / HTTP/1.1\r\nHost: a\r\n${text}`);
  const [req, res] = await request;
  return { client, req, res };
}

function fakeWatch(): ProgressWatch & { readonly transfers: Set<Transfer> } {
  const transfers = new Set<Transfer>();
  return {
    transfers,
    add: (transfer) => void transfers.add(transfer),
    delete: (transfer) => void transfers.delete(transfer),
    stop: () => undefined,
  };
}

describe('collecting a body', () => {
  test('resolves to all of it, and leaves the watch', async () => {
    const watch = fakeWatch();
    const { client, req, res } = await begin('Content-Length: 5\r\n\r\nhello');
    const collected = await collectBody(req, 5, null, watch);
    assert.deepEqual(
      [Buffer.concat(collected.chunks).toString(), collected.bytes, collected.ended],
      ['hello', 5, true],
    );
    assert.equal(watch.transfers.size, 0);
    res.end();
    client.destroy();
  });

  for (const framing of ['chunked', 'Content-Length'] as const) {
    test(`stops above its limit also where the rest came in the same packet, and streams it whole (${framing})`, async () => {
      const body = 'a'.repeat(20_000);
      const { client, req, res } = await begin(
        framing === 'chunked'
          ? `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
          : `Content-Length: ${body.length}\r\n\r\n${body}`,
      );
      const { chunks } = await collectBody(req, 16_384, null, fakeWatch());
      assert.equal((await buffer(streamBody(req, chunks, () => undefined))).toString(), body);
      res.end();
      client.destroy();
    });
  }

  test('stops above its limit and leaves the rest unread', async () => {
    const watch = fakeWatch();
    const { client, req } = await begin('Content-Length: 1000\r\n\r\nhello');
    const collected = await collectBody(req, 4, null, watch);
    assert.deepEqual([collected.bytes, collected.ended, req.isPaused()], [5, false, true]);
    assert.equal(watch.transfers.size, 0);
    client.destroy();
  });

  test('returns what there is after its wait', async () => {
    const { client, req } = await begin('Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n');
    const collected = await collectBody(req, 100, 20, fakeWatch());
    assert.deepEqual([collected.bytes, collected.ended, req.isPaused()], [2, false, true]);
    client.destroy();
  });

  test('rejects where the client resets in the middle', async () => {
    const watch = fakeWatch();
    const { client, req } = await begin('Content-Length: 10\r\n\r\nhello');
    const collected = collectBody(req, 100, null, watch);
    client.resetAndDestroy();
    await assert.rejects(collected, ClientGone);
    assert.equal(watch.transfers.size, 0);
  });

  test('rejects where the client was gone before', async () => {
    const { client, req } = await begin('Content-Length: 10\r\n\r\nhello');
    const closed = new Promise((resolve) => req.once('close', resolve));
    client.resetAndDestroy();
    await closed;
    await assert.rejects(collectBody(req, 100, null, fakeWatch()), ClientGone);
  });

  test('rejects where a chunk is malformed', async () => {
    const { client, req } = await begin('Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n');
    const collected = collectBody(req, 100, null, fakeWatch());
    client.write('zz\r\n');
    await assert.rejects(collected, ClientGone);
    client.destroy();
  });

  test('rejects as stalled where the watch ends it, and listens no more', async () => {
    const watch = fakeWatch();
    const { client, req } = await begin('Content-Length: 10\r\n\r\nhello');
    const collected = collectBody(req, 100, null, watch);
    const [transfer] = watch.transfers;
    assert.equal(transfer?.waitsForClient(), true);
    transfer?.stall();
    await assert.rejects(collected, ClientStalled);
    assert.deepEqual([watch.transfers.size, req.listenerCount('data')], [0, 0]);
    client.destroy();
  });
});

describe('a body as a stream', () => {
  test('starts with what was taken already, then counts and passes on the rest', async () => {
    const { client, req } = await begin('Content-Length: 11\r\n\r\nhello ');
    const { chunks } = await collectBody(req, 1, null, fakeWatch());
    let counted = 0;
    const body = streamBody(req, chunks, (bytes) => {
      counted += bytes;
    });
    const all = buffer(body);
    client.write('world');
    assert.equal((await all).toString(), 'hello world');
    assert.equal(counted, 5);
    client.destroy();
  });

  test('holds the client back while nobody reads', async () => {
    const { client, req } = await begin('Content-Length: 100000000\r\n\r\n');
    let counted = 0;
    const body = streamBody(req, [], (bytes) => {
      counted += bytes;
    });
    body.once('readable', () => undefined).on('error', () => undefined);
    client.write(Buffer.alloc(20_000_000));
    while (!req.isPaused()) await once(req, 'data');
    assert.ok(counted < 2_000_000, `${counted} bytes were taken`);
    client.destroy();
  });

  test('fails where the client resets, so that a cut upload never looks whole', async () => {
    const { client, req } = await begin('Content-Length: 10\r\n\r\nhello');
    const body = streamBody(req, [], () => undefined);
    const all = buffer(body);
    client.resetAndDestroy();
    await assert.rejects(all, ClientGone);
  });

  test("leaves the client's socket alone when it is destroyed", async () => {
    const { client, req, res } = await begin('Content-Length: 10\r\n\r\nhello');
    const body = streamBody(req, [], () => undefined);
    body.once('data', () => body.destroy());
    await once(body, 'close');
    assert.deepEqual([req.destroyed, res.destroyed, req.listenerCount('data')], [false, false, 0]);
    client.destroy();
  });
});
