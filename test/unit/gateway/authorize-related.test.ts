import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { routeConfig } from '../../support/route-config.ts';
import { permitFor, verdict } from './authorize-fixture.ts';

const photos = '/dav/files/alice/Photos';
const readOnly = [`path:${photos}/:r`];
const writeOnly = [`path:${photos}/:w`];
const both = [`path:${photos}/:rw`];
const allow = 'allow';
const outside = '403 outside_scope';

describe('COPY and MOVE', () => {
  const of = (
    method: string,
    target: string,
    destination: string,
    scopes: readonly string[],
  ): Promise<string> => verdict({ method, target, headers: { Destination: destination }, scopes });
  const inbox = '/dav/files/alice/Inbox';

  test('COPY reads the source and writes the destination', async () => {
    assert.equal(await of('COPY', `${photos}/a`, `${inbox}/a`, [...readOnly, `path:${inbox}/:w`]), allow);
    assert.equal(await of('COPY', `${photos}/a`, `${inbox}/a`, [...writeOnly, `path:${inbox}/:w`]), outside);
    assert.equal(await of('COPY', `${photos}/a`, `${inbox}/a`, [...readOnly, `path:${inbox}/:r`]), outside);
  });

  test('MOVE writes both', async () => {
    assert.equal(await of('MOVE', `${photos}/a`, `${inbox}/a`, [...writeOnly, `path:${inbox}/:w`]), allow);
    assert.equal(await of('MOVE', `${photos}/a`, `${inbox}/a`, [...readOnly, `path:${inbox}/:rw`]), outside);
    assert.equal(await of('MOVE', `${photos}/a`, `${inbox}/a`, [...both, `path:${inbox}/:r`]), outside);
  });

  test('the Destination comes back in original bytes', async () => {
    const headers = { Destination: 'HTTP://GW.example:80/dav/files/alice/Photos/%C3%9C%20b' };
    const permit = await permitFor({ method: 'MOVE', target: `${photos}/a`, headers, scopes: both });
    assert.equal(permit.destination?.rawPath, '/dav/files/alice/Photos/%C3%9C%20b');
    assert.equal(permit.destination?.path, '/dav/files/alice/Photos/Ü b');
    assert.equal(permit.dropDestination, false);
  });

  for (const scopes of [both, ['*']]) {
    for (const kind of ['webdav', 'caldav', 'rest'] as const) {
      test(`a Destination elsewhere is malformed on a ${kind} route with ${scopes.join()}`, async () => {
        for (const destination of [
          '',
          '*',
          'b.jpg',
          '//gw.example/x',
          'http://evil.example/x',
          'ftp://gw.example/x',
        ]) {
          const headers = { Destination: destination };
          const routes = [routeConfig({ kind })];
          const said = await verdict({ method: 'COPY', target: `${photos}/a`, headers, scopes, routes });
          assert.equal(said, '400 malformed_destination', destination);
        }
      });
    }
  }

  test('without a Destination they are malformed for every token', async () => {
    for (const method of ['COPY', 'MOVE']) {
      for (const scopes of [both, ['*']]) {
        assert.equal(await verdict({ method, target: `${photos}/a`, scopes }), '400 malformed_destination');
      }
    }
  });

  test('a Destination behind another route is outside, though a scope covers it', async () => {
    const routes = [
      routeConfig(),
      routeConfig({ name: 'other', match: { host: null, path: '/dav/files/alice/Photos/o/' } }),
    ];
    const headers = { Destination: `${photos}/o/a` };
    assert.equal(
      await verdict({ method: 'MOVE', target: `${photos}/a`, headers, scopes: both, routes }),
      outside,
    );
  });

  test('a Destination means nothing to other methods and is dropped unread', async () => {
    for (const method of ['GET', 'PUT', 'PROPFIND', 'LOCK', 'MKCOL', 'DELETE']) {
      const asked = {
        method,
        target: `${photos}/a`,
        headers: { Destination: 'http://evil.example/ nonsense' },
        scopes: both,
      };
      const permit = await permitFor(asked);
      assert.equal(permit.dropDestination, true);
      assert.equal(permit.destination, null);
    }
  });
});

describe('If', () => {
  const of = (field: string, scopes: readonly string[] = both): Promise<string> =>
    verdict({ method: 'PUT', target: `${photos}/a.jpg`, headers: { If: field }, scopes });

  test('is passed on parsed', async () => {
    const field = `<http://gw.example${photos}/a.jpg> (<opaquelocktoken:1> ["x"])`;
    const permit = await permitFor({
      method: 'PUT',
      target: `${photos}/a.jpg`,
      headers: { If: field },
      scopes: both,
    });
    assert.deepEqual(
      permit.ifHeader?.tags.map((tag) => tag.path),
      [`${photos}/a.jpg`],
    );
  });

  test('may name what the scope covers, for reading or writing', async () => {
    assert.equal(await of(`<${photos}/b.jpg> (["x"])`), allow);
    assert.equal(await of(`<${photos}/b.jpg> (["x"])`, writeOnly), allow);
    assert.equal(await of(`<${photos}/> (<urn:uuid:1>)`), allow);
  });

  test('may name nothing else', async () => {
    for (const tag of ['/dav/files/alice/Secret/x', '/dav/files/alice/', '/', `${photos}x`]) {
      assert.equal(await of(`<${tag}> (["x"])`), outside, tag);
      assert.equal(await of(`<${photos}/a.jpg> (["x"]) <${tag}> (["x"])`), outside, tag);
      assert.equal(await of(`<${tag}> (["x"])`, ['*']), allow, tag);
    }
  });

  test('is malformed on another host or out of grammar, for every token', async () => {
    for (const field of [
      '',
      '(',
      '()',
      '["x"]',
      '<http://evil.example/a> (["x"])',
      `<${photos}/../x> (["x"])`,
    ]) {
      for (const scopes of [both, ['*']]) assert.equal(await of(field, scopes), '400 malformed_if', field);
    }
  });
});

describe('Upload-Metadata', () => {
  const of = (field: string, scopes: readonly string[] = both): Promise<string> =>
    verdict({ method: 'POST', target: `${photos}/`, headers: { 'Upload-Metadata': field }, scopes });
  const encode = (text: string): string => Buffer.from(text).toString('base64');

  test('may name one file', async () => {
    assert.equal(
      await of(`filename ${encode('Ürlaub 1.jpg')},filetype ${encode('image/jpeg')},is_confidential`),
      allow,
    );
    assert.equal(await of(`name ${encode('a.jpg')}, relativePath ${encode('null')}`), allow);
  });

  test('may not name a path: where the file lands would not show in the URL', async () => {
    for (const name of ['../x', 'a/b', '/x', 'a\\b', '..', '.', 'a\nb', '%2e%2e', '\uff0f', '..;x']) {
      for (const key of ['filename', 'name', 'relativePath', 'FileName', 'dir']) {
        assert.equal(await of(`${key} ${encode(name)}`), outside, `${key} ${name}`);
      }
      assert.equal(await of(`filename ${encode(name)}`, ['*']), allow);
    }
  });

  test('is malformed out of grammar', async () => {
    for (const field of [
      '',
      ',',
      'filename a',
      'filename YQ',
      'filename  YQ==',
      'filename YQ==,filename YQ==',
      'filename /w==',
    ]) {
      assert.equal(await of(field), '400 malformed_header', field);
    }
  });
});
