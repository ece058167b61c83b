import assert from 'node:assert/strict';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { eventually, within } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { route, startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import type { HttpMessage } from '../support/http-message.ts';
import { head, openRaw } from '../support/raw-client.ts';
import { replying, startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordingBackend } from '../support/recording-backend.ts';

const MiB = 1024 ** 2;

/** Finder and DAVx5 upload without a length; some backends answer 411 to that, or store nothing. */
describe('uploads without a length', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let authorization: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway({
      routes: [
        route({ backend: backend.url }),
        route({ name: 'spooled', match: { path: '/spooled/' }, backend: backend.url, spool: true }),
        route({
          name: 'twice',
          match: { path: '/twice/' },
          backend: [`http://127.0.0.1:${await freePort()}`, backend.url],
          spool: true,
        }),
      ],
      config: { limits: { spool: '12MiB', idle: '2s' } },
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
  beforeEach(() => {
    backend.forget();
    backend.answerWith({
      message(request, socket) {
        replying(request.framing === 'chunked' ? 411 : 201).message?.(request, socket);
      },
    });
  });

  async function upload(target: string, bytes: number, fields: readonly string[] = []): Promise<HttpMessage> {
    const raw = await openRaw(gateway.port);
    try {
      await raw.send(head('PUT', target, [authorization, 'Transfer-Encoding: chunked', ...fields]));
      const part = Buffer.alloc(64 * 1024, 'part');
      for (let left = bytes; left > 0 && !raw.isClosed(); left -= part.length) {
        const length = Math.min(left, part.length);
        await raw.send(
          Buffer.concat([
            Buffer.from(`${length.toString(16)}\r\n`),
            part.subarray(0, length),
            Buffer.from('\r\n'),
          ]),
        );
      }
      await raw.send('0\r\n\r\n');
      return await raw.nextResponse(10_000);
    } finally {
      raw.destroy();
    }
  }

  /** What is held: files with a name, and files that lost it but are still open. */
  const held = async (): Promise<readonly string[]> => {
    const spool = join(gateway.dataDir, 'spool');
    const named = await readdir(spool).catch(() => []);
    const descriptors = await readdir(`/proc/${gateway.pid}/fd`);
    const open = await Promise.all(
      descriptors.map((each) => readlink(`/proc/${gateway.pid}/fd/${each}`).catch(() => '')),
    );
    return [...named, ...open.filter((path) => path.startsWith(spool))];
  };
  const assertNothingHeld = async (): Promise<void> => {
    await eventually('the spool to be empty', async () => (await held()).length === 0);
  };

  test('go out chunked where the route does not spool, and the 411 comes back', async () => {
    assert.equal(status(await upload('/dav/a', MiB)), 411);
    assert.equal(backend.requests[0]?.framing, 'chunked');
  });

  for (const bytes of [0, 1, 10 * MiB]) {
    test(`of ${bytes} bytes go out with that length where the route spools`, async () => {
      assert.equal(status(await upload('/spooled/a', bytes)), 201);
      const [seen] = backend.requests;
      assert.ok(seen);
      assert.equal(seen.body.length, bytes);
      assert.equal(field(seen, 'transfer-encoding'), null);
      assert.equal(field(seen, 'content-length'), String(bytes));
      await assertNothingHeld();
    });
  }

  test('with the X-Expected-Entity-Length of Finder arrive whole', async () => {
    const answer = await upload('/spooled/finder', MiB, [`X-Expected-Entity-Length: ${MiB}`]);
    assert.equal(status(answer), 201);
    assert.equal(backend.requests[0]?.body.length, MiB);
  });

  test('beyond what may be held are refused with 413 and reach no backend', async () => {
    assert.equal(status(await upload('/spooled/huge', 16 * MiB)), 413);
    assert.equal(backend.text(), '');
    await assertNothingHeld();
  });

  test('that stand still are ended and reach no backend', async () => {
    const raw = await openRaw(gateway.port);
    await raw.send(head('PUT', '/spooled/still', [authorization, 'Transfer-Encoding: chunked']));
    await raw.send(`${(256 * 1024).toString(16)}\r\n${'x'.repeat(256 * 1024)}\r\n`);
    await within('the end', 10_000, raw.closed);
    assert.equal(backend.text(), '');
    raw.destroy();
  });

  test('go to the next backend where the first cannot be reached', async () => {
    assert.equal(status(await upload('/twice/a', MiB)), 201);
    assert.equal(status(await upload('/twice/b', MiB)), 201);
    assert.deepEqual(
      backend.requests.map(({ body }) => body.length),
      [MiB, MiB],
    );
  });

  test('that the client gives up leave nothing held and reach no backend', async () => {
    const raw = await openRaw(gateway.port);
    await raw.send(head('PUT', '/spooled/gone', [authorization, 'Transfer-Encoding: chunked']));
    await raw.send(`${(256 * 1024).toString(16)}\r\n${'x'.repeat(256 * 1024)}\r\n`);
    raw.destroy();
    const { length } = gateway.logLines();
    await eventually('the request to be logged', () => gateway.logLines().length > length);
    await assertNothingHeld();
    assert.equal(backend.text(), '');
  });
});
