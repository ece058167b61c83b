import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { routeConfig } from '../../support/route-config.ts';
import { permitFor, verdict } from './authorize-fixture.ts';

const session = '/dav/uploads/alice/web-1';
const inside = '/dav/files/alice/Photos/big.mov';
const scopes = ['path:/dav/files/alice/Photos/:w'];
const routes = [routeConfig({ uploads: '/dav/uploads/{user}/' })];
const outside = '403 outside_scope';

describe('a chunked upload by a token scoped to where the file ends', () => {
  const of = (
    method: string,
    target: string,
    destination: string | null,
    more: Record<string, string> = {},
  ) =>
    verdict({
      method,
      target,
      headers: { ...(destination === null ? {} : { Destination: destination }), ...more },
      scopes,
      routes,
    });

  for (const [method, target] of [
    ['MKCOL', session],
    ['MKCOL', `${session}/`],
    ['PUT', `${session}/00001`],
    ['MOVE', `${session}/.file`],
    ['DELETE', `${session}/`],
    ['DELETE', `${session}/00001`],
  ] as const) {
    test(`${method} ${target} is a step where its Destination may be written`, async () => {
      assert.equal(await of(method, target, inside), 'allow');
      assert.equal(await of(method, target, `http://gw.example${inside}`), 'allow');
      assert.equal(await of(method, target, '/dav/files/alice/Secret/x'), outside);
      assert.equal(await of(method, target, '/dav/files/alice/Photos/'), outside);
      assert.equal(await of(method, target, 'http://evil.example/x'), '400 malformed_destination');
      assert.equal(await of(method, target, `${inside}/../../x`), '400 malformed_destination');
    });

    test(`${method} ${target} without a Destination is refused`, async () => {
      assert.equal(await of(method, target, null), method === 'MOVE' ? '400 malformed_destination' : outside);
    });
  }

  test('the Destination is kept for the backend', async () => {
    const headers = { Destination: inside };
    const permit = await permitFor({ method: 'PUT', target: `${session}/1`, headers, scopes, routes });
    assert.equal(permit.destination?.rawPath, inside);
    assert.equal(permit.dropDestination, false);
  });

  test('a resuming client may list one session', async () => {
    assert.equal(await of('PROPFIND', `${session}/`, inside, { Depth: '1' }), 'allow');
    assert.equal(await of('PROPFIND', `${session}/`, inside, { Depth: 'infinity' }), outside);
    assert.equal(await of('PROPFIND', `${session}/`, null, { Depth: '1' }), outside);
    assert.equal(await of('PROPFIND', `${session}/1`, inside, { Depth: '0' }), outside);
    assert.equal(await of('PROPFIND', '/dav/uploads/alice/', inside, { Depth: '1' }), outside);
  });

  for (const [method, target] of [
    ['GET', `${session}/1`],
    ['COPY', `${session}/1`],
    ['POST', session],
    ['PROPPATCH', session],
    ['LOCK', session],
    ['PUT', session],
    ['MOVE', session],
    ['PUT', `${session}/a/b`],
    ['MKCOL', `${session}/1`],
    ['MKCOL', '/dav/uploads/alice/'],
    ['DELETE', '/dav/uploads/alice/'],
    ['MKCOL', '/dav/uploads/bob/web-1'],
    ['MKCOL', '/dav/uploadsx/alice/web-1'],
  ] as const) {
    test(`${method} ${target} is no step of it`, async () =>
      assert.equal(await of(method, target, inside), outside));
  }

  test('a read-only scope uploads nothing', async () => {
    const headers = { Destination: inside };
    const readOnly = ['path:/dav/files/alice/Photos/:r'];
    assert.equal(
      await verdict({ method: 'PUT', target: `${session}/1`, headers, scopes: readOnly, routes }),
      outside,
    );
  });

  test('a method override makes it no step', async () => {
    assert.equal(await of('PUT', `${session}/1`, inside, { 'X-HTTP-Method-Override': 'PUT' }), outside);
  });

  test('a user name that is no segment has no upload folder', async () => {
    const asked = {
      method: 'MKCOL',
      target: '/dav/uploads/alice/x',
      headers: { Destination: inside },
      scopes,
      routes,
    };
    assert.equal(await verdict({ ...asked, user: '..' }), outside);
    assert.equal(await verdict({ ...asked, user: 'alice/x' }), outside);
  });
});

describe('a chunked upload by a token that covers the upload folder', () => {
  test('keeps its Destination, which the token must cover as well', async () => {
    for (const wide of [['route:files:rw'], ['path:/dav/:rw'], ['*']]) {
      const asked = { method: 'PUT', target: `${session}/1`, scopes: wide, routes };
      const permit = await permitFor({ ...asked, headers: { Destination: inside } });
      assert.equal(permit.destination?.rawPath, inside);
      assert.equal(await verdict(asked), 'allow', 'the older protocol sends none');
      assert.equal(await verdict({ ...asked, headers: { Destination: 'x' } }), '400 malformed_destination');
    }
    const narrow = { method: 'PUT', target: `${session}/1`, scopes: ['path:/dav/uploads/alice/:rw'], routes };
    assert.equal(await verdict({ ...narrow, headers: { Destination: inside } }), outside);
  });
});
