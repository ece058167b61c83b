import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendPlace, parseBackend } from '../../../src/config/backend-address.ts';
import { problems } from './in-memory-sources.ts';

/** The place of an address as it is written; fails where it is refused. */
function placeOf(text: string): {
  readonly name: string;
  readonly url: string;
  readonly socketPath: string | null;
} {
  const parsed = parseBackend(text);
  assert.ok('value' in parsed, `${text} is refused`);
  const { name, url, socketPath } = backendPlace(parsed.value);
  return { name, url: url.origin, socketPath };
}

test('a backend on a socket is spoken to as localhost, and named by its socket', () => {
  assert.deepEqual(placeOf('UNIX:/run/radicale.sock'), {
    name: 'unix:/run/radicale.sock',
    url: 'http://localhost',
    socketPath: '/run/radicale.sock',
  });
});

test('the path of a socket is taken literally', () => {
  assert.equal(placeOf('unix:/run/a b/%20?x#y@z:ü').socketPath, '/run/a b/%20?x#y@z:ü');
});

test('a path may have as many bytes as a socket address holds, and no more', () => {
  assert.equal(placeOf(`unix:/${'a'.repeat(106)}`).socketPath?.length, 107);
  const wide = parseBackend(`unix:/${'ü'.repeat(54)}`);
  assert.ok('wrong' in wide);
  assert.match(wide.wrong, /^has a path of 109 bytes, and a socket may have 107/);
});

test('a backend behind a host is named by its origin', () => {
  assert.deepEqual(placeOf('HTTPS://[::1]:8443/'), {
    name: 'https://[::1]:8443',
    url: 'https://[::1]:8443',
    socketPath: null,
  });
});

for (const [title, text] of [
  ['a relative path', 'unix:radicale.sock'],
  ['a path below the folder at hand', 'unix:./radicale.sock'],
  ['a name outside of the file system', 'unix:@radicale'],
  ['no path', 'unix:'],
  ['a host', 'unix://example.org/run/radicale.sock'],
  ['an empty host', 'unix:///run/radicale.sock'],
  ['a folder', 'unix:/run/'],
  ['the root', 'unix:/'],
  ['a NUL', 'unix:/run/a\0b'],
  ['a line break', 'unix:/run/a\nb'],
  ['a scheme of its own', 'http+unix://%2Frun%2Fa/'],
  ['a zone of IPv6', 'http://[fe80::1%25eth0]:8008'],
  ['a bare zone of IPv6', 'http://[fe80::1%eth0]:8008'],
] as const) {
  test(`a backend address with ${title} is refused`, () => {
    const parsed = parseBackend(text);
    assert.ok('wrong' in parsed);
  });
}

test('a backend on a wrong socket, or on the socket of the gateway itself, is named with its place', () => {
  const yaml = [
    'listen: { socket: /run/latchkey.sock }',
    'backend:',
    '  - unix:run/a.sock',
    '  - unix:/run/latchkey.sock',
    '  - unix://localhost/run/a.sock',
  ].join('\n');
  assert.deepEqual(problems({ yaml }), [
    'latchkey.yaml:3:5: backend[0]: must hold the absolute path of a socket, such as unix:/run/radicale.sock',
    'latchkey.yaml:4:5: backend[1]: is the socket on which the gateway itself listens; choose another for listen.socket',
    'latchkey.yaml:5:5: backend[2]: cannot name a host: a socket is on this machine; write it like unix:/run/radicale.sock',
  ]);
});
