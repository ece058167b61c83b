import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorize } from '../../../src/gateway/authorize.ts';
import { compileAuthorizedRoute } from '../../../src/gateway/authorized-route.ts';
import { routeConfig } from '../../support/route-config.ts';
import { headOf, principalWith, verdict } from './authorize-fixture.ts';

const photos = '/dav/files/alice/Photos';
const readOnly = [`path:${photos}/:r`];
const writeOnly = [`path:${photos}/:w`];
const both = [`path:${photos}/:rw`];
const allow = 'allow';
const outside = '403 outside_scope';

describe('methods', () => {
  const of = (method: string, scopes: readonly string[]): Promise<string> =>
    verdict({ method, target: `${photos}/a.jpg`, headers: { Depth: '0' }, scopes });

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PROPFIND']) {
    test(`${method} needs read`, async () => {
      assert.equal(await of(method, readOnly), allow);
      assert.equal(await of(method, writeOnly), outside);
    });
  }

  for (const method of [
    'PUT',
    'PATCH',
    'DELETE',
    'MKCOL',
    'MKCALENDAR',
    'PROPPATCH',
    'LOCK',
    'UNLOCK',
    'ACL',
  ]) {
    test(`${method} needs write`, async () => {
      assert.equal(await of(method, writeOnly), allow);
      assert.equal(await of(method, readOnly), outside);
    });
  }

  test('POST needs read and write, as mod_dav and others answer it with the file that stands there', async () => {
    assert.equal(await of('POST', both), allow);
    assert.equal(await of('POST', [...readOnly, ...writeOnly]), allow);
    assert.equal(await of('POST', writeOnly), outside);
    assert.equal(await of('POST', readOnly), outside);
  });

  test('POST on a REST route needs write', async () => {
    const asked = { method: 'POST', target: `${photos}/a.jpg`, routes: [routeConfig({ kind: 'rest' })] };
    assert.equal(await verdict({ ...asked, scopes: writeOnly }), allow);
    assert.equal(await verdict({ ...asked, scopes: readOnly }), outside);
  });

  for (const method of [
    'BIND',
    'REBIND',
    'UNBIND',
    'LINK',
    'UNLINK',
    'UPDATE',
    'MERGE',
    'UPDATEREDIRECTREF',
  ]) {
    test(`${method} names other resources and needs a token for everything`, async () => {
      assert.equal(await of(method, both), outside);
      assert.equal(await of(method, ['route:files:rw']), outside);
      assert.equal(await of(method, ['*']), allow);
    });
  }

  for (const method of [
    'MKREDIRECTREF',
    'BASELINE-CONTROL',
    'VERSION-CONTROL',
    'QUERY',
    'PURGE',
    'get',
    'toString',
    '__proto__',
  ]) {
    test(`${method} is not bounded and needs a token for everything`, async () => {
      assert.equal(await of(method, both), outside);
      assert.equal(await of(method, ['*']), allow);
    });
  }

  test('a token without scopes may do nothing', async () => assert.equal(await of('GET', []), outside));

  test('any one scope suffices', async () => {
    assert.equal(await of('PUT', ['path:/x/:rw', ...readOnly, ...writeOnly]), allow);
  });
});

describe('X-HTTP-Method-Override', () => {
  const of = (method: string, override: string, scopes: readonly string[]): Promise<string> =>
    verdict({ method, target: `${photos}/a.jpg`, headers: { 'X-HTTP-Method-Override': override }, scopes });

  test('both methods must be allowed', async () => {
    assert.equal(await of('POST', 'PUT', both), allow);
    assert.equal(await of('POST', 'delete', both), allow);
    assert.equal(await of('POST', 'GET', readOnly), outside);
    assert.equal(await of('POST', 'GET', writeOnly), outside);
    assert.equal(await of('GET', 'delete', readOnly), outside);
  });

  test('what cannot be bounded is refused', async () => {
    for (const override of ['REPORT', 'SEARCH', 'BIND', 'nonsense', 'TRACE']) {
      assert.equal(await of('POST', override, both), outside, override);
    }
  });

  test('COPY and MOVE ask for a Destination', async () => {
    assert.equal(await of('POST', 'MOVE', both), '400 malformed_destination');
  });

  test('the root of a scope is not deleted in disguise', async () => {
    const asked = { method: 'POST', target: `${photos}/`, scopes: both };
    assert.equal(await verdict(asked), allow);
    assert.equal(await verdict({ ...asked, headers: { 'X-HTTP-Method-Override': 'DELETE' } }), outside);
  });
});

describe('a folder scope', () => {
  for (const [method, target] of [
    ['GET', `${photos}x/a.jpg`],
    ['GET', '/dav/files/alice/photos/a.jpg'],
    ['GET', '/dav/files/alice/Photo'],
    ['GET', '/dav/files/alice/'],
    ['HEAD', '/'],
  ] as const) {
    test(`does not reach ${method} ${target}`, async () => {
      assert.equal(await verdict({ method, target, scopes: both }), outside);
    });
  }

  for (const root of [photos, `${photos}/`, '/dav/files/alice/%50hotos/']) {
    for (const [method, expected] of [
      ['GET', allow],
      ['PROPFIND', allow],
      ['MKCOL', allow],
      ['PROPPATCH', allow],
      ['LOCK', allow],
      ['POST', allow],
      ['PUT', outside],
      ['DELETE', outside],
    ] as const) {
      test(`root ${root}: ${method} is ${expected}`, async () => {
        assert.equal(await verdict({ method, target: root, scopes: both }), expected);
      });
    }

    test(`root ${root} can be copied, not moved and not overwritten`, async () => {
      const elsewhere = { Destination: `${photos}/b` };
      assert.equal(await verdict({ method: 'COPY', target: root, headers: elsewhere, scopes: both }), allow);
      assert.equal(
        await verdict({ method: 'MOVE', target: root, headers: elsewhere, scopes: both }),
        outside,
      );
      for (const method of ['COPY', 'MOVE']) {
        const headers = { Destination: root, Overwrite: 'F' };
        assert.equal(await verdict({ method, target: `${photos}/a`, headers, scopes: both }), outside);
      }
    });
  }

  test('inside another scope, its root is below that one', async () => {
    const scopes = [...readOnly, 'path:/dav/files/alice/:rw'];
    assert.equal(await verdict({ method: 'DELETE', target: `${photos}/`, scopes }), allow);
    assert.equal(await verdict({ method: 'DELETE', target: '/dav/files/alice/', scopes }), outside);
  });

  test('what is above it is never deleted, moved, locked or written', async () => {
    for (const target of ['/', '/dav', '/dav/files/', '/dav/files/alice', '/dav/files/alice/']) {
      for (const method of ['DELETE', 'PUT', 'PROPPATCH', 'LOCK', 'MKCOL', 'POST']) {
        assert.equal(await verdict({ method, target, scopes: both }), outside, `${method} ${target}`);
      }
      const headers = { Destination: `${photos}/x` };
      assert.equal(await verdict({ method: 'MOVE', target, headers, scopes: both }), outside, target);
      const over = { Destination: target };
      assert.equal(
        await verdict({ method: 'MOVE', target: `${photos}/a`, headers: over, scopes: both }),
        outside,
      );
    }
  });
});

describe('what is above a scope', () => {
  const of = (method: string, target: string, depth: string | null, scopes = readOnly): Promise<string> =>
    verdict({ method, target, headers: depth === null ? {} : { Depth: depth }, scopes });

  for (const target of ['/', '/dav', '/dav/', '/dav/files/alice', '/dav/files/alice/']) {
    test(`${target} answers probes alone`, async () => {
      assert.equal(await of('PROPFIND', target, '0'), allow);
      assert.equal(await of('OPTIONS', target, null), allow);
      assert.equal(await of('PROPFIND', target, '1'), outside);
      assert.equal(await of('PROPFIND', target, 'infinity'), outside);
      assert.equal(await of('PROPFIND', target, null), outside);
      assert.equal(await of('GET', target, null), outside);
      assert.equal(await of('HEAD', target, null), outside);
    });
  }

  test('is told from what is beside it', async () => {
    for (const target of ['/dav/files/bob/', '/da', '/dav/files/alice/Music/', `${photos}x`]) {
      assert.equal(await of('PROPFIND', target, '0'), outside, target);
      assert.equal(await of('OPTIONS', target, null), outside, target);
    }
  });

  test('answers nothing on a REST route', async () => {
    const routes = [routeConfig({ kind: 'rest' })];
    for (const method of ['OPTIONS', 'PROPFIND']) {
      assert.equal(
        await verdict({ method, target: '/dav/', headers: { Depth: '0' }, scopes: readOnly, routes }),
        outside,
      );
    }
  });
});

describe('a file scope', () => {
  const scopes = ['path:/dav/notes.txt:rw'];
  const of = (method: string, target: string, headers: Record<string, string> = {}): Promise<string> =>
    verdict({ method, target, headers, scopes });

  test('reaches that file, with or without a trailing slash', async () => {
    for (const target of ['/dav/notes.txt', '/dav/notes.txt/', '/dav/%6eotes.txt']) {
      assert.equal(await of('GET', target), allow);
      assert.equal(await of('PUT', target), allow);
      assert.equal(await of('DELETE', target), allow);
    }
  });

  test('reaches nothing beside or below it', async () => {
    for (const target of [
      '/dav/notes.txt.bak',
      '/dav/notes.tx',
      '/dav/notes.txt/x',
      '/dav/NOTES.TXT',
      '/dav/',
    ]) {
      assert.equal(await of('GET', target), outside, target);
    }
  });

  test('shows nothing below it, should it be a folder', async () => {
    assert.equal(await of('PROPFIND', '/dav/notes.txt', { Depth: '0' }), allow);
    assert.equal(await of('PROPFIND', '/dav/notes.txt', { Depth: '1' }), outside);
    assert.equal(await of('PROPFIND', '/dav/notes.txt'), outside);
    const body = '<sync-collection xmlns="DAV:"/>';
    assert.equal(await verdict({ method: 'REPORT', target: '/dav/notes.txt', scopes, body }), outside);
  });
});

describe('Depth and Overwrite', () => {
  const of = (
    headers: Record<string, string>,
    scopes: readonly string[],
    kind: 'webdav' | 'rest' = 'webdav',
  ) =>
    verdict({ method: 'PROPFIND', target: `${photos}/`, headers, scopes, routes: [routeConfig({ kind })] });

  for (const scopes of [readOnly, ['*']]) {
    test(`are read strictly with ${scopes.join()}`, async () => {
      for (const depth of ['0', '1', 'infinity', 'Infinity'])
        assert.equal(await of({ Depth: depth }, scopes), allow);
      for (const depth of ['', '2', '00', '-1', '1,noroot', '0, 1', 'infinite']) {
        assert.equal(await of({ Depth: depth }, scopes), '400 malformed_header', depth);
      }
      for (const overwrite of ['T', 'F']) assert.equal(await of({ Overwrite: overwrite }, scopes), allow);
      for (const overwrite of ['', 'true', 'TF', 't']) {
        assert.equal(await of({ Overwrite: overwrite }, scopes), '400 malformed_header', overwrite);
      }
    });
  }

  test('mean nothing on a REST route', async () => {
    assert.equal(await of({ Depth: '7', Overwrite: 'yes' }, ['*'], 'rest'), allow);
  });
});

test('a decision that reads no body makes no promise, even where a report might', () => {
  const config = routeConfig();
  const route = compileAuthorizedRoute(config, [config]);
  const deps = { routeNameAt: () => 'files', reportBytes: 1 };
  const source = { readBody: () => assert.fail('the body is left alone') };
  for (const [method, target, kind] of [
    ['GET', `${photos}/a.jpg`, 'permit'],
    ['PUT', `${photos}/a.jpg`, 'deny'],
    ['REPORT', '/elsewhere', 'deny'],
  ] as const) {
    const answer = authorize(headOf(method, target), route, principalWith(readOnly), source, deps);
    assert.ok(!(answer instanceof Promise));
    assert.equal(answer.kind, kind);
  }
});
