import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { field } from '../support/http-message.ts';
import { photos, startWire, type Wire } from './wire.ts';

describe('Destination', () => {
  let wire: Wire;
  let writer: string;
  let reader: string;
  before(async () => {
    wire = await startWire();
    writer = await wire.bearer(`path:${photos}/:rw`);
    reader = await wire.bearer(`path:${photos}/:r`);
  });
  after(() => wire?.stop());

  const refusesAll = async (statuses: readonly number[], destinations: readonly string[]): Promise<void> => {
    for (const method of ['COPY', 'MOVE']) {
      for (const destination of destinations) {
        const fields = [writer, `Destination: ${destination}`];
        await wire.assertRefused(statuses, method, `${photos}/a.jpg`, fields);
      }
    }
  };

  test('outside the token is refused, in the mapped location and out of it [CVE-2026-27654, CVE-2026-32758, CVE-2016-9461]', async () => {
    await refusesAll(
      [403],
      ['/x', '/', '/dav/files/alice/Public/a.jpg', `${photos}x/a.jpg`, 'http://gw.example/dav/files/bob/a'],
    );
    await refusesAll([403], ['/dav/files/alice/S%65cret/a', 'http://gw.example/', 'http://GW.example/x']);
  });

  test('that cannot be understood in one way is refused, never skipped [CVE-2026-27654, CVE-2026-34908, CVE-2026-107334]', async () => {
    await refusesAll(
      [400],
      [
        '',
        'b.jpg',
        '//evil.example/x',
        'http://evil.example/dav/files/alice/Photos/b.jpg',
        'http://gw.example@evil.example/b.jpg',
        'ftp://gw.example/b.jpg',
        `${photos}/../Secret/b.jpg`,
        `${photos}/..%2fSecret%2fb.jpg`,
        `${photos}/..;/Secret/b.jpg`,
        `${photos}/%252e%252e/b.jpg`,
        `${photos}/b.jpg#x`,
        `${photos}/a%zz`,
        `${photos}/b.jpg, /x`,
      ],
    );
  });

  test('twice is refused: the first would be checked and the last obeyed [CVE-2020-25017]', async () => {
    const fields = [writer, `Destination: ${photos}/b.jpg`, 'Destination: /x'];
    await wire.assertRefused([400], 'MOVE', `${photos}/a.jpg`, fields);
    await wire.assertRefused([400], 'MOVE', `${photos}/a.jpg`, fields.toReversed());
  });

  test('needs write, so a read-only token copies nothing anywhere [CVE-2016-9461]', async () => {
    for (const method of ['COPY', 'MOVE']) {
      const fields = [reader, `Destination: ${photos}/b.jpg`];
      await wire.assertRefused([403], method, `${photos}/a.jpg`, fields);
    }
    await wire.assertRefused([403], 'PUT', `${photos}/b.jpg`, [reader]);
  });

  test('inside the token goes out as it came, for one authority [CVE-2026-27654]', async () => {
    const fields = [writer, `Destination: http://gw.example${photos}/b%231.jpg`];
    const seen = await wire.assertForwarded('COPY', `${photos}/a.jpg`, fields);
    assert.match(field(seen, 'Destination') ?? '', /^http:\/\/[^/]+\/dav\/files\/alice\/Photos\/b%231\.jpg$/);
  });

  test('an upload is not deleted, resumed or forged by a token that may not write there [CVE-2026-29188]', async () => {
    const tus = 'Tus-Resumable: 1.0.0';
    for (const [method, fields] of [
      ['DELETE', [tus]],
      ['PATCH', [tus, 'Upload-Offset: 0']],
      ['POST', [tus, 'X-HTTP-Method-Override: DELETE']],
      ['GET', [tus, 'X-HTTP-Method-Override: DELETE']],
    ] as const) {
      await wire.assertRefused([403], method, `${photos}/upload-1`, [reader, ...fields]);
      await wire.assertRefused([403], method, '/dav/uploads/1', [writer, ...fields]);
    }
    const name = Buffer.from('../Secret/x').toString('base64');
    const forged = [writer, tus, 'Upload-Length: 1', `Upload-Metadata: filename ${name}`];
    await wire.assertRefused([400, 403], 'POST', `${photos}/`, forged);
  });
});
