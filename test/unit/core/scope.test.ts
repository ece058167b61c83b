import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkDecodedPath } from '../../../src/core/path.ts';
import {
  expandScope,
  expandUser,
  formatScope,
  parseScope,
  parseScopes,
  type Scope,
  scopeBytesMax,
} from '../../../src/core/scope.ts';

function problemOf(text: string): string {
  const scope = parseScope(text);
  return scope.kind === 'scope_problem' ? scope.detail : `accepted: ${formatScope(scope)}`;
}

function parsed(text: string): Scope {
  const scope = parseScope(text);
  assert.ok(scope.kind !== 'scope_problem', text);
  return scope;
}

describe('the text of a scope', () => {
  test('* is everything', () => assert.deepEqual(parseScope('*'), { kind: 'everything' }));

  test('a path that ends with a slash is a folder, another one is a file', () => {
    assert.deepEqual(parseScope('path:/dav/Photos/:rw'), {
      kind: 'path',
      path: '/dav/Photos/',
      folder: true,
      access: { read: true, write: true },
    });
    assert.deepEqual(parseScope('path:/dav/a%20b.txt:w'), {
      kind: 'path',
      path: '/dav/a b.txt',
      folder: false,
      access: { read: false, write: true },
    });
  });

  test('a path may hold colons: only the last one starts the access', () => {
    assert.equal((parsed('path:/a:r/b:x:r') as { path: string }).path, '/a:r/b:x');
  });

  test('nodes and routes are named exactly', () => {
    assert.deepEqual(parseScope('node:3F2a$b!c:rw'), {
      kind: 'node',
      node: '3F2a$b!c',
      access: { read: true, write: true },
    });
    assert.deepEqual(parseScope('route:calendar:r'), {
      kind: 'route',
      route: 'calendar',
      access: { read: true, write: false },
    });
  });

  for (const [text, problem] of [
    ['', /starts with path:/],
    ['/dav/:r', /starts with path:/],
    ['PATH:/a/:r', /starts with path:/],
    ['**', /starts with path:/],
    ['api:environment.stop', /api: scopes are not understood/],
    ['path:/a/', /must end with :r, :w or :rw/],
    ['path:', /must end with/],
    ['path:/a/:x', /must end with/],
    ['path:/a/:wr', /must end with/],
    ['path:/a/:', /must end with/],
    ['path::r', /does not start with a slash/],
    ['path:a/:r', /does not start with a slash/],
    ['path:/a/../b/:r', /\. or \.\. segment/],
    ['path:/a%2fb/:r', /encoded slash/],
    ['path:/a//b/:r', /empty segment/],
    ['node::r', /one identifier/],
    ['node:a/b:r', /one identifier/],
    ['node:..:r', /one identifier/],
    ['node:%2e%2e:r', /one identifier/],
    ['route::r', /named as in the configuration/],
    ['route:a b:r', /named as in the configuration/],
  ] as const) {
    test(`says what is wrong with ${JSON.stringify(text)}`, () => assert.match(problemOf(text), problem));
  }

  test('reads back as the same scope', () => {
    fc.assert(
      fc.property(scopes(), (scope) => assert.deepEqual(parseScope(formatScope(scope)), scope)),
      { numRuns: 2000 },
    );
  });

  test('is at most 4 KiB long', () => {
    const fits = `path:/${'a'.repeat(scopeBytesMax - 'path:/:r'.length)}:r`;
    assert.equal(parsed(fits).kind, 'path');
    assert.match(problemOf(`${fits.slice(0, -2)}a:r`), /longer than 4096 bytes/);
    assert.match(problemOf(`path:/${'ä'.repeat(2048)}:r`), /longer than 4096 bytes/);
  });
});

describe('the scopes of a token', () => {
  test('are at least one and at most 64', () => {
    assert.match(JSON.stringify(parseScopes([])), /needs a scope/);
    const everything = (count: number): string[] => Array.from({ length: count }, () => '*');
    assert.match(JSON.stringify(parseScopes(everything(65))), /at most 64/);
    const scopes = parseScopes(everything(64));
    assert.ok(!('kind' in scopes));
    assert.equal(scopes.length, 64);
  });

  test('are refused whole where one is wrong', () => {
    assert.match(JSON.stringify(parseScopes(['*', 'path:/a/'])), /must end with/);
  });
});

describe('{user} in a scope', () => {
  const expand = (text: string, user: string): string => {
    const scope = expandScope(parsed(text), user);
    return scope.kind === 'scope_problem' ? 'problem' : formatScope(scope);
  };

  test('stands for the name, wherever it is', () => {
    assert.equal(expand('path:/dav/{user}/x-{user}/:r', 'alice'), 'path:/dav/alice/x-alice/:r');
    assert.equal(expand('path:/dav/%7Buser%7D/:r', 'alice'), 'path:/dav/alice/:r');
    assert.equal(expand('*', 'alice'), '*');
    assert.equal(expand('route:{user}:r', 'alice'), 'route:{user}:r');
  });

  for (const name of ['.*', '$&', "$'", '{user}', 'a:rw', '*', 'Ünï cödé', 'a@b.example', '50%']) {
    test(`is data: ${name}`, () => {
      const scope = expandScope(parsed('path:/dav/{user}/:r'), name);
      assert.deepEqual(scope, { ...parsed('path:/dav/x/:r'), path: `/dav/${name}/` });
      assert.deepEqual(parseScope(formatScope(scope as Scope)), scope);
    });
  }

  for (const name of [
    '',
    '.',
    '..',
    'a/b',
    '/',
    'a\\b',
    '..;x',
    'a\nb',
    '%2e',
    '%2e%2e',
    '\u2025',
    'a\uff0fb',
    '\ud800',
  ]) {
    test(`is a problem where it would change segments: ${JSON.stringify(name)}`, () => {
      assert.equal(expand('path:/dav/{user}/:r', name), 'problem');
      assert.equal(expandUser('/dav/{user}/', name), null);
    });
  }

  test('never changes the number of segments, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const path = expandUser('/a/{user}/b/', name);
        if (path === null) return;
        const [first, second, third, fourth, ...rest] = path.split('/');
        assert.deepEqual([first, second, third, fourth, rest], ['', 'a', name, 'b', ['']]);
      }),
      { numRuns: 2000 },
    );
  });
});

function scopes(): fc.Arbitrary<Scope> {
  const access = fc.constantFrom(
    { read: true, write: false },
    { read: false, write: true },
    { read: true, write: true },
  );
  const path = fc
    .array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 })
    .chain((segments) => fc.boolean().map((folder) => `/${segments.join('/')}${folder ? '/' : ''}`))
    .map((text) => checkDecodedPath(text))
    .filter((checked) => typeof checked === 'string');
  const name = fc.stringMatching(/^[A-Za-z0-9$!_-]{1,20}$/);
  return fc.oneof(
    fc.constant<Scope>({ kind: 'everything' }),
    fc
      .record({ path, access })
      .map((parts): Scope => ({ kind: 'path', folder: parts.path.endsWith('/'), ...parts })),
    fc.record({ node: name, access }).map((parts): Scope => ({ kind: 'node', ...parts })),
    fc.record({ route: name, access }).map((parts): Scope => ({ kind: 'route', ...parts })),
  );
}
