import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { CanonicalPath } from '../../../src/core/path.ts';
import { createRouteTable, type Located } from '../../../src/gateway/routes.ts';

const route = (host: string | null, path: string): Located => ({ match: { host, path } });

function found(routes: readonly Located[], host: string, path: string): string | null {
  const hit = createRouteTable(routes).find(host, path as CanonicalPath);
  return hit === null ? null : `${hit.match.host ?? '*'} ${hit.match.path}`;
}

describe('the route of a request', () => {
  test('is the longest prefix by whole segments', () => {
    const routes = [route(null, '/'), route(null, '/dav/'), route(null, '/dav/files/')];
    assert.equal(found(routes, 'h', '/dav/files/a'), '* /dav/files/');
    assert.equal(found(routes, 'h', '/dav/filesystem'), '* /dav/');
    assert.equal(found(routes, 'h', '/davs/x'), '* /');
  });

  test('that is none has its reason told apart for the log', () => {
    const table = createRouteTable([route(null, '/dav/'), route(null, '/dav/files/')]);
    const why = (path: string): string => table.whyNone('h', path as CanonicalPath);
    assert.equal(found([route(null, '/dav/'), route(null, '/dav/files/')], 'h', '/dav/FILES/x'), null);
    assert.equal(why('/dav/FILES/x'), 'spelled like the path of another route');
    assert.equal(why('/other/x'), 'no route');
  });

  test('takes a folder named without its slash', () => {
    assert.equal(found([route(null, '/dav/')], 'h', '/dav'), '* /dav/');
    assert.equal(found([route(null, '/dav/')], 'h', '/da'), null);
  });

  test('is none where cutting path parameters off would make it the path of another route', () => {
    const routes = [route(null, '/'), route(null, '/dav/in/')];
    for (const path of ['/dav/in;a/x', '/dav;a/in/x', '/dav/in;', '/.latchkey;a/x'])
      assert.equal(found(routes, 'h', path), null, path);
    assert.equal(found(routes, 'h', '/dav/in/x;a'), '* /dav/in/');
    assert.equal(found(routes, 'h', '/dav/out;a/x'), '* /');
    assert.equal(found([route(null, '/'), route(null, '/a;b/')], 'h', '/a;b/x'), '* /a;b/');
  });

  test('is none where a backend that folds names would see the path of another route', () => {
    const routes = [route(null, '/n/'), route(null, '/n/in/'), route(null, '/n/Ü b/')];
    for (const path of [
      ...[
        '/n/In/x',
        '/N/in/x',
        '/n/IN',
        '/n/in./x',
        '/n/in /x',
        '/n/in. ./',
        '/n/in::$INDEX_ALLOCATION/x',
        '/n/in:x',
      ],
      ...[
        '/n/\uff49n/x',
        '/n/i\u200bn/x',
        '/n/\u0131n/x',
        '/n/%69n/x',
        '/n/i\u00adn;a/',
        '/n/u\u0308 B/x',
        '/n/ü b/',
      ],
    ])
      assert.equal(found(routes, 'h', path), null, path);
    for (const path of ['/n/x', '/n/inn/x', '/n/I/x', '/n/x/in/', '/n/In.x/x'])
      assert.equal(found(routes, 'h', path), '* /n/', path);
    assert.equal(found(routes, 'h', '/n/in/X'), '* /n/in/');
    assert.equal(found([route(null, '/n/'), route(null, '/n/In/')], 'h', '/n/in/x'), null);
  });

  test('is found by case where routes differ by nothing else: their operator knows the backend', () => {
    const routes = [route(null, '/A/'), route(null, '/a/')];
    assert.equal(found(routes, 'h', '/A/x'), '* /A/');
    assert.equal(found(routes, 'h', '/a/x'), '* /a/');
  });

  test('is none where no prefix matches', () => {
    assert.equal(found([], 'h', '/'), null);
    assert.equal(found([route(null, '/dav/')], 'h', '/'), null);
  });

  test('prefers those of the host to those of every host, however short', () => {
    const routes = [route(null, '/dav/files/'), route('gw.example', '/')];
    assert.equal(found(routes, 'gw.example', '/dav/files/a'), 'gw.example /');
    assert.equal(found(routes, 'other.example', '/dav/files/a'), '* /dav/files/');
  });

  test('of a host without a port serves every port, beside those that name one', () => {
    const routes = [route('gw.example', '/a/'), route('gw.example', '/b/'), route('gw.example:8443', '/b/')];
    assert.equal(found(routes, 'gw.example:8443', '/a/x'), 'gw.example /a/');
    assert.equal(found(routes, 'gw.example:8443', '/b/x'), 'gw.example:8443 /b/');
    assert.equal(found(routes, 'gw.example:99', '/b/x'), 'gw.example /b/');
  });

  test('is the same with a final dot behind the host', () => {
    const routes = [route('GW.example', '/'), route(null, '/')];
    assert.equal(found(routes, 'gw.example.', '/a'), 'GW.example /');
    assert.equal(found(routes, 'gw.example.:8080', '/a'), 'GW.example /');
  });

  test('knows IPv6 literals with and without a port', () => {
    const routes = [route('[::1]', '/')];
    assert.equal(found(routes, '[::1]', '/a'), '[::1] /');
    assert.equal(found(routes, '[::1]:8080', '/a'), '[::1] /');
    assert.equal(found(routes, '[::2]', '/a'), null);
  });

  test("is never the gateway's own folder, but what merely starts like it", () => {
    const routes = [route(null, '/'), route(null, '/.latchkey/')];
    assert.equal(found(routes, 'h', '/.latchkey'), null);
    assert.equal(found(routes, 'h', '/.latchkey/'), null);
    assert.equal(found(routes, 'h', '/.latchkey/api'), null);
    assert.equal(found(routes, 'h', '/.latchkeys'), '* /');
  });

  test('equals what a search through all routes finds', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', '.latchkey', 'é');
    const segments = fc.array(segment, { maxLength: 4 });
    const host = fc.constantFrom(null, 'x', 'y', 'x:1', 'y:2', '[::1]');
    const routes = fc.array(
      fc.tuple(host, segments).map(([h, s]) => route(h, s.length === 0 ? '/' : `/${s.join('/')}/`)),
      { maxLength: 12 },
    );
    const asked = fc.tuple(fc.constantFrom('x', 'y', 'x:1', 'x:9', 'z', '[::1]:5'), segments, fc.boolean());
    fc.assert(
      fc.property(routes, asked, (all, [h, s, slash]) => {
        const path = `/${s.join('/')}${slash && s.length > 0 ? '/' : ''}`;
        assert.equal(found(all, h, path), naive(all, h, path));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** The specification, as slow as it likes. */
function naive(routes: readonly Located[], host: string, path: string): string | null {
  if (path === '/.latchkey' || path.startsWith('/.latchkey/')) return null;
  const bare = host.replace(/:\d+$/, '');
  const rank = (one: Located): number => (one.match.host === null ? 0 : one.match.host === host ? 2 : 1);
  const matching = routes
    .filter((one) => one.match.host === null || one.match.host === host || one.match.host === bare)
    .filter((one) => `${path}/`.startsWith(one.match.path));
  const named = matching.filter((one) => one.match.host !== null);
  const [best] = (named.length > 0 ? named : matching).toSorted(
    (a, b) => b.match.path.length - a.match.path.length || rank(b) - rank(a),
  );
  return best === undefined ? null : `${best.match.host ?? '*'} ${best.match.path}`;
}
