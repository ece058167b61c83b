/** The text of scopes, and what they allow. */
import assert from 'node:assert/strict';
import { canonicalPath, type CanonicalPath } from '../../src/core/path.ts';
import { expandScope, formatScope, parseScope, parseScopes, type Scope } from '../../src/core/scope.ts';
import { compileAuthorizedRoute } from '../../src/gateway/authorized-route.ts';
import { type Extent, isAboveScope, type Need, reaches } from '../../src/gateway/reach.ts';
import { routeConfig } from '../support/route-config.ts';
import { principalWith } from './judges/gateway.ts';

export const subjects: readonly string[] = [
  'core/scope.ts',
  'gateway/reach.ts',
  'gateway/authorized-route.ts',
];

export const words: readonly string[] = [
  'path:/',
  ':rw',
  ':r',
  ':w',
  'node:',
  'route:files:',
  '{user}',
  '%7Buser%7D',
];

const needs: readonly Need[] = ['read', 'write', 'either'];
const extents: readonly Extent[] = ['resource', 'contents', 'tree', 'whole'];
const userNames = ['alice', 'ä b', '{user}', '..', 'a/b', '%2e%2e', '', 'x;y'];

const configs = [
  routeConfig({
    match: { host: null, path: '/dav/' },
    nodes: { template: '/dav/nodes/{node}/' },
    uploads: '/dav/up/{user}/',
  }),
  routeConfig({
    name: 'inner',
    match: { host: null, path: '/dav/inner/' },
    nodes: { table: { n1: '/dav/inner/one' } },
  }),
];
const routes = configs.map((config) => compileAuthorizedRoute(config, configs));

/**
 * Each line is a scope, or where it starts with a slash a path. A scope reads back from its text as itself; a user
 * name adds no segment; more scopes never allow less, nor does a wider one; and what a path scope allows lies
 * within its folder, segment by segment.
 */
export function fuzz(input: Buffer): void {
  const lines = input.toString('utf8').split('\n').slice(0, 12);
  const texts = lines.filter((line) => !line.startsWith('/'));
  const scopes = texts.map(parseScope).filter((scope): scope is Scope => scope.kind !== 'scope_problem');
  for (const scope of scopes) {
    assertReadsBack(scope);
    for (const userName of userNames) assertExpands(scope, userName);
  }
  const together = parseScopes(texts);
  assert.equal('kind' in together, scopes.length < texts.length || texts.length === 0);
  for (const line of lines) {
    const path = canonicalPath(line);
    if (typeof path === 'string') for (const scope of scopes) assertWithin(scope, path);
    if (typeof path === 'string') assertMonotone(scopes, path);
    if (typeof path === 'string') assertUploads(path);
  }
}

function assertReadsBack(scope: Scope): void {
  const text = formatScope(scope);
  const again = parseScope(text);
  assert.deepEqual(again, scope);
  assert.equal(formatScope(scope), text);
  if (scope.kind === 'path') assert.equal(scope.folder, scope.path.endsWith('/'));
  if (scope.kind !== 'path') assert.doesNotMatch(text, /\s/, 'scopes are listed with spaces between them');
}

function assertExpands(scope: Scope, userName: string): void {
  const expanded = expandScope(scope, userName);
  if (expanded.kind === 'scope_problem') {
    assert.ok(scope.kind === 'path' && scope.path.includes('{user}'));
    return;
  }
  if (scope.kind !== 'path') return assert.deepEqual(expanded, scope);
  assert.ok(expanded.kind === 'path');
  assert.equal(expanded.path.split('/').length, scope.path.split('/').length, 'a user name adds no segment');
  assert.deepEqual(expanded.access, scope.access);
  assertReadsBack(expanded);
}

function assertMonotone(scopes: readonly Scope[], path: CanonicalPath): void {
  const all = principalWith(scopes);
  for (const route of routes) {
    for (const scope of scopes) {
      const one = principalWith([scope]);
      const full = principalWith(
        'access' in scope ? [{ ...scope, access: { read: true, write: true } }] : [scope],
      );
      for (const need of needs) {
        for (const extent of extents) {
          if (!reaches(one, route, path, need, extent)) continue;
          assert.ok(reaches(all, route, path, need, extent), 'more scopes never allow less');
          assert.ok(reaches(full, route, path, need, extent), 'more access never allows less');
          assert.ok(reaches(one, route, path, 'either', extent));
          assert.ok(
            reaches(one, route, path, need, 'resource'),
            'whoever reaches further reaches the resource',
          );
          if (extent === 'whole') assert.ok(reaches(one, route, path, need, 'contents'));
        }
      }
      if (isAboveScope(one, route, path)) assert.ok(isAboveScope(all, route, path));
    }
  }
}

function assertUploads(path: CanonicalPath): void {
  for (const userName of userNames) {
    const folder = routes[0]?.uploadsAround(path, userName) ?? null;
    if (folder === null) continue;
    assert.equal(folder, `/dav/up/${userName}/`);
    assert.deepEqual(
      segments(path).slice(0, 3),
      ['dav', 'up', userName],
      'nobody is in the uploads of another',
    );
  }
}

function assertWithin(scope: Scope, path: CanonicalPath): void {
  const [route] = routes;
  if (scope.kind !== 'path' || route === undefined) return;
  const one = principalWith([scope]);
  const named = segments(scope.path);
  const asked = segments(path);
  const isWithin = named.every((segment, at) => asked[at] === segment);
  for (const need of needs) {
    for (const extent of extents) {
      if (!reaches(one, route, path, need, extent)) continue;
      assert.ok(isWithin, 'what is allowed lies within the folder');
      assert.ok(scope.folder || asked.length === named.length, 'a file holds nothing');
      if (extent === 'whole' && scope.folder)
        assert.ok(asked.length > named.length, 'the folder itself stays');
      if (need !== 'either') assert.ok(need === 'read' ? scope.access.read : scope.access.write);
    }
  }
  if (!scope.folder || named.length === 0) return;
  const above = canonicalPath('/' + named.slice(0, -1).map(encodeURIComponent).join('/'));
  if (typeof above !== 'string' || named.length < 2) return;
  const wider = principalWith([{ ...scope, path: `${above}/` as CanonicalPath }]);
  for (const need of needs) {
    for (const extent of extents) {
      if (reaches(one, route, path, need, extent)) {
        assert.ok(reaches(wider, route, path, need, extent), 'the folder above never allows less');
      }
    }
  }
}

function segments(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}
