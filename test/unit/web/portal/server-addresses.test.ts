import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KnownRoute, serverAddresses } from '../../../../src/web/portal/tokens/server-addresses.ts';

const routes: readonly KnownRoute[] = [
  { name: 'rest', kind: 'rest', path: '/api/', host: null },
  { name: 'files', kind: 'webdav', path: '/dav/', host: null },
  { name: 'cal', kind: 'caldav', path: '/cal/', host: 'cal.example' },
];
const origin = 'https://cloud.example';

function urls(...scopes: readonly string[]): readonly string[] {
  return serverAddresses(routes, scopes, origin, 'alice').map(({ url }) => url);
}

test('a token for everything goes to every route, files first, each at its own host', () => {
  assert.deepEqual(urls('*'), [
    'https://cloud.example/dav/',
    'https://cal.example/cal/',
    'https://cloud.example/api/',
  ]);
});

test('a token for one folder goes to that folder, encoded', () => {
  assert.deepEqual(urls('path:/dav/My photos/50%25/:r'), ['https://cloud.example/dav/My%20photos/50%25/']);
});

test('a token for one route goes to that route alone', () => {
  assert.deepEqual(urls('route:cal:rw'), ['https://cal.example/cal/']);
});

test('read only everything is no folder of its own', () => {
  assert.equal(urls('path:/:r').length, 3);
});
