import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { routeConfig } from '../../support/route-config.ts';
import { verdict } from './authorize-fixture.ts';

const allow = 'allow';
const outside = '403 outside_scope';

describe('a route scope', () => {
  const routes = [
    routeConfig({ match: { host: null, path: '/dav/' } }),
    routeConfig({ name: 'private', match: { host: null, path: '/dav/team/private/' } }),
    routeConfig({ name: 'rest', match: { host: null, path: '/api/' }, kind: 'rest' }),
  ];
  const of = (method: string, target: string, headers: Record<string, string> = {}): Promise<string> =>
    verdict({ method, target, headers, scopes: ['route:files:rw'], routes });

  test('covers everything behind that route and nothing behind another', async () => {
    assert.equal(await of('PUT', '/dav/x'), allow);
    assert.equal(await of('GET', '/dav'), allow);
    assert.equal(await of('GET', '/dav/team/private/x'), outside);
    assert.equal(await of('GET', '/api/x'), outside);
  });

  test('keeps the folder of the route', async () => {
    assert.equal(await of('DELETE', '/dav/'), outside);
    assert.equal(await of('DELETE', '/dav/x/'), allow);
  });

  test('does not recurse into another route', async () => {
    assert.equal(await of('DELETE', '/dav/team/'), outside);
    assert.equal(await of('MOVE', '/dav/team', { Destination: '/dav/y' }), outside);
    assert.equal(await of('COPY', '/dav/team', { Destination: '/dav/y' }), outside);
    assert.equal(await of('PROPFIND', '/dav/team/', { Depth: 'infinity' }), outside);
    assert.equal(await of('PROPFIND', '/dav/team/', { Depth: '0' }), allow);
    assert.equal(await of('MKCOL', '/dav/team/'), allow);
  });

  test('does not reach or recurse into another route by a spelling that some backends fold', async () => {
    for (const folder of [
      '/dav/Team',
      '/dav/TEAM/',
      '/dav/team;x',
      '/dav/team.',
      '/dav/team%20',
      '/dav/%EF%BD%94eam/',
    ]) {
      assert.equal(await of('DELETE', folder), outside, folder);
      assert.equal(await of('COPY', folder, { Destination: '/dav/y' }), outside, folder);
      assert.equal(await of('MKCOL', folder), allow, folder);
    }
    for (const inside of [
      '/dav/team/Private/x',
      '/dav/TEAM/private',
      '/dav/team/private;x/x',
      '/dav/team/private./x',
    ]) {
      assert.equal(await of('GET', inside), '404 no_route', inside);
      assert.equal(await of('COPY', '/dav/x', { Destination: inside }), outside, inside);
      assert.equal(await of('PUT', '/dav/x', { If: `<${inside}> (["e"])` }), outside, inside);
    }
  });

  test('reaches no Destination and no If tag behind another route', async () => {
    assert.equal(await of('COPY', '/dav/x', { Destination: '/dav/team/x' }), allow);
    assert.equal(await of('COPY', '/dav/x', { Destination: '/dav/team/private/x' }), outside);
    assert.equal(await of('COPY', '/dav/x', { Destination: '/api/x' }), outside);
    assert.equal(await of('COPY', '/dav/x', { Destination: '/nowhere' }), outside);
    assert.equal(await of('PUT', '/dav/x', { If: '</dav/team/private/x> (["e"])' }), outside);
  });
});

describe('a node scope', () => {
  const template = [routeConfig({ nodes: { template: '/dav/spaces/{node}/' } })];
  const table = [routeConfig({ nodes: { table: { n1: '/dav/projects/one/', n2: '/dav/two.txt' } } })];

  test('reaches the folder that the template makes of it', async () => {
    const of = (method: string, target: string): Promise<string> =>
      verdict({ method, target, scopes: ['node:a$b!c:rw'], routes: template });
    assert.equal(await of('PUT', '/dav/spaces/a$b!c/x'), allow);
    assert.equal(await of('PUT', '/dav/spaces/a%24b%21c/x'), allow);
    assert.equal(await of('DELETE', '/dav/spaces/a$b!c/'), outside);
    assert.equal(await of('OPTIONS', '/dav/spaces/'), allow);
    assert.equal(await of('GET', '/dav/spaces/'), outside);
    assert.equal(await of('GET', '/dav/spaces/A$B!C/x'), outside);
    assert.equal(await of('GET', '/dav/spaces/a$b!cd/x'), outside);
  });

  test('reaches the folder or file that the table says', async () => {
    const of = (target: string, scope: string): Promise<string> =>
      verdict({ method: 'GET', target, scopes: [scope], routes: table });
    assert.equal(await of('/dav/projects/one/x', 'node:n1:r'), allow);
    assert.equal(await of('/dav/two.txt', 'node:n2:r'), allow);
    assert.equal(await of('/dav/two.txt/x', 'node:n2:r'), outside);
    assert.equal(await of('/dav/projects/one/x', 'node:n2:r'), outside);
    for (const id of ['N1', 'n3', 'constructor', '__proto__'])
      assert.equal(await of('/dav/two.txt', `node:${id}:r`), outside);
  });

  test('reaches nothing on a route without nodes', async () => {
    assert.equal(
      await verdict({ method: 'GET', target: '/dav/spaces/n1/x', scopes: ['node:n1:r'] }),
      outside,
    );
  });
});
