import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { within } from '../support/eventually.ts';
import { status } from '../support/http-message.ts';
import { head, openRaw } from '../support/raw-client.ts';
import { photos, startWire, type Wire } from './wire.ts';

const mebibyte = 1024 * 1024;
const block = Buffer.alloc(mebibyte, 'x');

describe('bodies', () => {
  let wire: Wire;
  let token: string;
  before(async () => {
    wire = await startWire();
    token = await wire.bearer(`path:${photos}/:rw`);
  });
  after(() => wire?.stop());

  /** Sends a head and then as much of 1 GiB as the gateway takes. Resolves to the bytes taken, at most a socket's buffers more. */
  async function offer(
    method: string,
    fields: readonly string[],
    chunked: boolean,
  ): Promise<readonly [number, number]> {
    const raw = await openRaw(wire.gateway.port);
    try {
      const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${1024 * mebibyte}`;
      await raw.send(head(method, `${photos}/`, [...fields, framing]), method);
      let offered = 0;
      const pump = (): void => {
        while (!raw.isClosed() && raw.socket.writable && offered < 1024 * mebibyte) {
          offered += block.length;
          if (chunked) raw.socket.write(`${block.length.toString(16)}\r\n`);
          const flows = raw.socket.write(block);
          if (chunked) raw.socket.write('\r\n');
          if (!flows) return void raw.socket.once('drain', pump);
        }
      };
      pump();
      const answer = await raw.nextResponse(15_000);
      await within('the gateway to close the connection', 10_000, raw.closed);
      return [status(answer), offered];
    } finally {
      raw.destroy();
    }
  }

  async function assertNotRead(chunked: boolean): Promise<void> {
    wire.backend.forget();
    const residentBefore = await wire.gateway.residentBytes();
    const [code, taken] = await offer('PUT', [], chunked);
    assert.equal(code, 401);
    // What the gateway takes in so that the client can read its answer, and the buffers of two sockets.
    assert.ok(taken <= 32 * mebibyte, `${taken / mebibyte} MiB were taken`);
    assert.ok((await wire.gateway.residentBytes()) - residentBefore < 64 * mebibyte);
    assert.equal(wire.backend.text(), '');
  }

  test('of 1 GiB, announced, without a credential are answered and not read [S15, CVE-2026-26998]', () =>
    assertNotRead(false));

  test('of 1 GiB in chunks without a credential are answered and not read [S15, CVE-2026-26998]', () =>
    assertNotRead(true));

  test('that have to be read to decide are read up to a limit [S15, CVE-2026-26998]', async () => {
    wire.backend.forget();
    for (const chunked of [false, true]) {
      const [code, taken] = await offer('REPORT', [token, 'Content-Type: application/xml'], chunked);
      assert.equal(code, 413);
      assert.ok(taken <= 32 * mebibyte, `${taken / mebibyte} MiB were taken`);
    }
    assert.equal(wire.backend.text(), '');
  });
});
