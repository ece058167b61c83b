import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { CanonicalPath } from '../../../src/core/path.ts';
import { parseScope, type Scope } from '../../../src/core/scope.ts';
import { isScopeWithin } from '../../../src/core/scope-within.ts';
import type { AuthorizedRoute } from '../../../src/gateway/authorized-route.ts';
import { type Extent, type Need, reaches } from '../../../src/gateway/reach.ts';
import { principal } from '../gateway/route-fixture.ts';

function parsed(text: string): Scope {
  const scope = parseScope(text);
  assert.ok(scope.kind !== 'scope_problem', text);
  return scope;
}

const within: readonly (readonly [scope: string, allowed: string, isWithin: boolean])[] = [
  ['*', '*', true],
  ['path:/:rw', '*', true],
  ['*', 'path:/:rw', false],
  ['path:/dav/a/:r', 'path:/dav/:rw', true],
  ['path:/dav/:rw', 'path:/dav/:rw', true],
  ['path:/dav/:rw', 'path:/dav/:r', false],
  ['path:/dav/a/:w', 'path:/dav/:r', false],
  ['path:/dav/:r', 'path:/dav/a/:r', false],
  ['path:/davx/:r', 'path:/dav/:r', false],
  ['path:/dav/a.txt:r', 'path:/dav/:r', true],
  // As a file it could be deleted; the folder that a scope names cannot.
  ['path:/dav:rw', 'path:/dav/:rw', false],
  ['path:/dav/a/:r', 'path:/dav/a:r', false],
  ['path:/dav/a:r', 'path:/dav/a:r', true],
  ['path:/dav/A/:r', 'path:/dav/a/:r', false],
  ['route:cal:r', 'route:cal:rw', true],
  ['route:cal:rw', 'route:cal:r', false],
  ['route:cal:r', 'route:files:rw', false],
  ['node:n1:r', 'node:n1:rw', true],
  ['node:n1:r', 'node:n2:rw', false],
  // What a route or a node stands for is a matter of configuration.
  ['path:/dav/a/:r', 'route:files:rw', false],
  ['route:files:r', 'path:/:rw', false],
  ['node:n1:r', 'path:/:rw', false],
];

describe('a scope lies within another', () => {
  for (const [scope, allowed, expected] of within) {
    test(`${scope} ${expected ? 'within' : 'not within'} ${allowed}`, () => {
      assert.equal(isScopeWithin(parsed(scope), parsed(allowed)), expected);
    });
  }

  const segment = fc.constantFrom('a', 'b', 'ab', 'é');
  const path = fc
    .tuple(fc.array(segment, { maxLength: 3 }), fc.boolean())
    .map(([segments, folder]) => `/${segments.join('/')}${folder && segments.length > 0 ? '/' : ''}`);
  const access = fc.constantFrom('r', 'w', 'rw');
  const scopes = fc
    .oneof(
      { weight: 6, arbitrary: fc.tuple(path, access).map(([at, may]) => `path:${at}:${may}`) },
      fc.tuple(fc.constantFrom('n1', 'n2'), access).map(([node, may]) => `node:${node}:${may}`),
      fc.tuple(fc.constantFrom('files', 'cal'), access).map(([route, may]) => `route:${route}:${may}`),
      fc.constant('*'),
    )
    .map(parsed);
  const nodes: Readonly<Record<string, CanonicalPath>> = {
    n1: '/a/b/' as CanonicalPath,
    n2: '/a' as CanonicalPath,
  };
  const route: AuthorizedRoute = {
    name: 'files',
    kind: 'webdav',
    prefix: '/' as CanonicalPath,
    nested: [],
    nodePath: (node: string) => nodes[node] ?? null,
    uploadsAround: () => null,
  };
  const needs: readonly Need[] = ['read', 'write', 'either'];
  const extents: readonly Extent[] = ['resource', 'contents', 'tree', 'whole'];
  const covers = (scope: Scope, at: string, need: Need, extent: Extent): boolean =>
    reaches(principal({ scopes: [scope] }), route, at as CanonicalPath, need, extent);

  test('only where all that it lets a request reach, the other does too', () => {
    let found = 0;
    fc.assert(
      fc.property(scopes, scopes, path, (scope, allowed, at) => {
        if (!isScopeWithin(scope, allowed)) return;
        found++;
        for (const need of needs) {
          for (const extent of extents) {
            if (covers(scope, at, need, extent)) assert.ok(covers(allowed, at, need, extent));
          }
        }
      }),
      { numRuns: 20_000 },
    );
    assert.ok(found > 500, `${found} pairs looked at`);
  });

  test('also as an order: of itself, and of what the other lies within', () => {
    fc.assert(
      fc.property(scopes, scopes, scopes, (one, other, third) => {
        assert.ok(isScopeWithin(one, one));
        if (isScopeWithin(one, other) && isScopeWithin(other, third)) assert.ok(isScopeWithin(one, third));
      }),
      { numRuns: 5_000 },
    );
  });

  test('of path scopes, wherever nothing more could be reached', () => {
    const paths = fc.tuple(path, access).map(([at, may]) => parsed(`path:${at}:${may}`));
    fc.assert(
      fc.property(paths, paths, (scope, allowed) => {
        if (isScopeWithin(scope, allowed)) return;
        const at = [...everyPath()];
        const isWider = at.some((one) =>
          needs.some((need) =>
            extents.some((extent) => covers(scope, one, need, extent) && !covers(allowed, one, need, extent)),
          ),
        );
        assert.ok(isWider, JSON.stringify([scope, allowed]));
      }),
      { numRuns: 500 },
    );
  });

  function* everyPath(depth = 4, before = '/'): Generator<string> {
    yield before;
    if (before !== '/') yield before.slice(0, -1);
    if (depth === 0) return;
    for (const name of ['a', 'b', 'ab', 'é']) yield* everyPath(depth - 1, `${before}${name}/`);
  }
});
