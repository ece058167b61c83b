import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  canonicalPath,
  type CanonicalPath,
  checkDecodedPath,
  isAncestor,
  isBelowFolder,
  isInFolder,
  isSameResource,
  pathFromText,
  pathToText,
} from '../../../src/core/path.ts';

function reason(raw: string): string {
  const path = canonicalPath(raw);
  return typeof path === 'string' ? `accepted as ${path}` : path.detail;
}

describe('a canonical path', () => {
  for (const [raw, decoded] of [
    ['/', '/'],
    ['/a', '/a'],
    ['/a/', '/a/'],
    ['/a/.well-known/x', '/a/.well-known/x'],
    ['/a/...', '/a/...'],
    ['/a/.%20b', '/a/. b'],
    ['/a/b%20..', '/a/b ..'],
    ['/a/..b', '/a/..b'],
    ['/a/.b;c', '/a/.b;c'],
    ['/a/x;..', '/a/x;..'],
    ['/100%25.jpg', '/100%.jpg'],
    ['/%231.jpg', '/#1.jpg'],
    ['/a%3Fb', '/a?b'],
    ['/a%20b+c', '/a b+c'],
    ['/%C3%9Crlaub', '/Ürlaub'],
    ['/U%CC%88rlaub', '/U\u0308rlaub'],
    ['/%F0%9F%93%B7', '/📷'],
    ['/%25zz', '/%zz'],
  ] as const) {
    test(`${raw} is ${decoded}`, () => assert.equal(canonicalPath(raw), decoded));
  }

  for (const [what, detail, raws] of [
    ['no leading slash', /start with a slash/, ['', 'a', '*', 'http://x/', '%2Fa']],
    [
      'dot segments',
      /\. or \.\./,
      ['/.', '/..', '/../', '/a/./b', '/a/..', '/%2e%2E/', '/a/.%2e/b', '/a/%2e'],
    ],
    [
      'dot segments with parameters',
      /\. or \.\./,
      ['/..;/x', '/a/..;x=1/b', '/.;x', '/a/..%3Bx/b', '/%2e%2e;/'],
    ],
    [
      'dot segments with spaces',
      /\. or \.\./,
      [
        '/a/..%20/b',
        '/a/.%20',
        '/a/.%20.',
        '/a/%20../b',
        '/a/..%20;x/b',
        '/a/%20/b',
        '/%20',
        '/..%C2%A0/',
        '/%E3%80%80/x',
      ],
    ],
    [
      'dot segments after NFKC',
      /\. or \.\./,
      ['/%E2%80%A5/x', '/%EF%BC%8E%EF%BC%8E', '/%E2%80%A4', '/%E2%80%A5;x'],
    ],
    ['slashes after NFKC', /NFKC/, ['/a%EF%BC%8Fb', '/a%EF%BC%BCb', '/%E2%84%80']],
    ['empty segments', /empty segment/, ['//', '//a', '/a//b', '/a//']],
    [
      'empty segments with parameters',
      /empty segment/,
      ['/;', '/;/a', '/a/;x=1/b', '/a/;', '/a/%3B/b', '/a/%3Bx', '/%EF%BC%9Bx/b'],
    ],
    ['encoded delimiters', /encoded slash/, ['/a%2fb', '/a%2Fb', '/a%5cb', '/a%5Cb', '/a%00']],
    ['encoded controls', /encoded slash/, ['/a%0d%0a', '/a%09', '/a%7f', '/a%C2%80', '/a%C2%9f']],
    [
      'double escapes',
      /after decoding once/,
      ['/%252e', '/%252E%252e', '/a%252fb', '/a%255c', '/%2525', '/a%2500', '/a/..%253bx', '/a%253B'],
    ],
    ['double escapes after NFKC', /after decoding once/, ['/%EF%BC%852e', '/%25%EF%BC%92e']],
    ['malformed escapes', /malformed/, ['/%', '/%2', '/%zz', '/%u002e', '/a%2']],
    [
      'what is not UTF-8',
      /malformed/,
      ['/%c0%ae', '/%c0%af', '/%ed%a0%80', '/%ff', '/%e2%82', '/%f5%80%80%80'],
    ],
    [
      'raw characters',
      /percent-encoded/,
      ['/a b', '/a\\b', '/a#b', '/a?b', '/a\tb', '/a\x7fb', '/ä', '/a\x00', '/\ud800'],
    ],
  ] as const) {
    for (const raw of raws) {
      test(`${what} are refused: ${JSON.stringify(raw)}`, () => assert.match(reason(raw), detail));
    }
  }

  test('a path without escapes is returned as it is', () => {
    fc.assert(
      fc.property(fc.webPath(), (raw) => {
        const path = canonicalPath(raw);
        if (typeof path === 'string' && !raw.includes('%')) assert.equal(path, raw);
      }),
    );
  });

  test('what is accepted has no segment that another parser resolves, however often it is decoded', () => {
    fc.assert(
      fc.property(hostilePath(), (raw) => {
        const path = canonicalPath(raw);
        if (typeof path !== 'string') return;
        assert.equal(new URL(`http://h${raw}`).pathname, raw.replace(/["<>`{}^|]/g, encodeURIComponent));
        for (const seen of [
          path,
          decodeLoosely(path),
          path.normalize('NFKC'),
          decodeLoosely(path.normalize('NFKC')),
        ]) {
          const segments = seen.split('/');
          assert.equal(segments.length, raw.split('/').length);
          for (const segment of segments) assert.doesNotMatch(segment, /^\.\.?(?:;|$)|[\\\0]/);
        }
        assert.doesNotMatch(path, /\/\//);
      }),
      { numRuns: 3000 },
    );
  });

  test('a decoded path checks as itself', () => {
    fc.assert(
      fc.property(hostilePath(), (raw) => {
        const path = canonicalPath(raw);
        if (typeof path === 'string') assert.equal(checkDecodedPath(path), path);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a path written by a person', () => {
  test('may hold spaces, letters and percent escapes', () => {
    assert.equal(pathFromText('/Fotos 2024/%C3%9Crlaub/Öl/'), '/Fotos 2024/Ürlaub/Öl/');
    assert.equal(pathFromText('/100%25/'), '/100%/');
  });

  test('keeps the Unicode form it was given', () => {
    assert.notEqual(pathFromText('/U\u0308/'), pathFromText('/Ü/'));
  });

  for (const text of ['/a#b', '/a?b', '/a/../b', '/100%/', '/a\nb', '/\ud800/', 'a/']) {
    test(`is refused where it is ambiguous: ${JSON.stringify(text)}`, () => {
      assert.equal(typeof pathFromText(text), 'object');
    });
  }

  test('is what its text form reads back as', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const path = checkDecodedPath(`/${name}/x`);
        if (typeof path === 'string') assert.equal(pathFromText(pathToText(path)), path);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('comparison by whole segments', () => {
  const path = (text: string): CanonicalPath => text as CanonicalPath;

  test('a trailing slash makes no other resource', () => {
    assert.ok(isSameResource(path('/a'), path('/a/')));
    assert.ok(isSameResource(path('/a/'), path('/a')));
    assert.ok(!isSameResource(path('/a'), path('/ab')));
    assert.ok(!isSameResource(path('/a'), path('/A')));
  });

  test('a folder holds itself and what is below it, not its siblings', () => {
    assert.ok(isInFolder(path('/a/b/'), path('/a/b')));
    assert.ok(isInFolder(path('/a/b/'), path('/a/b/')));
    assert.ok(isInFolder(path('/a/b/'), path('/a/b/c')));
    assert.ok(!isInFolder(path('/a/b/'), path('/a/bc')));
    assert.ok(!isInFolder(path('/a/b/'), path('/a/bc/d')));
    assert.ok(!isInFolder(path('/a/b/'), path('/a/')));
    assert.ok(isInFolder(path('/'), path('/')));
    assert.ok(isInFolder(path('/'), path('/a')));
  });

  test('a folder is not below itself', () => {
    assert.ok(!isBelowFolder(path('/a/'), path('/a/')));
    assert.ok(!isBelowFolder(path('/a/'), path('/a')));
    assert.ok(isBelowFolder(path('/a/'), path('/a/b')));
    assert.ok(!isBelowFolder(path('/'), path('/')));
  });

  test('ancestors are the folders above, with or without a trailing slash', () => {
    for (const above of ['/', '/a', '/a/']) assert.ok(isAncestor(path(above), path('/a/b/')), above);
    for (const other of ['/a/b', '/a/b/', '/a/b/c', '/aa', '/b', '/a/bb']) {
      assert.ok(!isAncestor(path(other), path('/a/b/')), other);
    }
    assert.ok(isAncestor(path('/a'), path('/a/b')));
    assert.ok(!isAncestor(path('/a/b'), path('/a/b')));
  });
});

/** Paths made of the pieces that path attacks are made of. */
function hostilePath(): fc.Arbitrary<string> {
  const piece = fc.constantFrom(
    ...[
      '.',
      '..',
      '/',
      ';',
      'x',
      '%2e',
      '%2E',
      '%2f',
      '%5c',
      '%25',
      '%252e',
      '%00',
      '%C2%85',
      '\\',
      ' ',
      '#',
      '?',
    ],
    ...[
      '%E2%80%A5',
      '%E2%80%A4',
      '%EF%BC%8F',
      '%EF%BC%8E',
      '%EF%BC%85',
      '2e',
      '%c0%ae',
      '%C3%9C',
      'a',
      'B',
      '%3B',
      '%',
    ],
  );
  return fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);
}

function decodeLoosely(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
