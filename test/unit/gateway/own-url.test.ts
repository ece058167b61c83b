import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseDestination } from '../../../src/gateway/destination.ts';
import { readOwnUrl } from '../../../src/gateway/own-url.ts';

describe('a resource on the host the client speaks to', () => {
  for (const [text, host, rawPath] of [
    ['/a/b', 'gw.example', '/a/b'],
    ['/', 'gw.example', '/'],
    ['http://gw.example/a', 'gw.example', '/a'],
    ['HTTPS://GW.Example/a', 'gw.example', '/a'],
    ['http://gw.example:80/a', 'gw.example', '/a'],
    ['http://gw.example/a', 'gw.example:80', '/a'],
    ['https://gw.example:443/a', 'gw.example', '/a'],
    ['https://gw.example/a', 'gw.example:443', '/a'],
    ['http://gw.example:8080/a', 'gw.example:8080', '/a'],
    ['http://[::1]:8080/a', '[::1]:8080', '/a'],
    ['http://[::1]/a', '[::1]', '/a'],
    ['http://gw.example/%C3%9C/', 'gw.example', '/%C3%9C/'],
  ] as const) {
    test(`${text} is one at ${host}`, () => assert.equal(readOwnUrl(text, host)?.rawPath, rawPath));
  }

  for (const text of [
    '',
    '*',
    'a',
    './a',
    '../a',
    '?a',
    '#a',
    '//gw.example/a',
    '///a',
    '/\\gw.example/a',
    '\\\\gw.example\\a',
    'http:/a',
    'http:a',
    'http:///a',
    'http:\\\\gw.example/a',
    'http://gw.example',
    'http://gw.example?/a',
    'http://gw.example#/a',
    'http://gw.example\\@evil.example/a',
    'http://evil.example/a',
    'http://gw.example.evil.example/a',
    'http://gw.example./a',
    'http://gw.example:/a',
    'http://gw.example:443/a',
    'http://gw.example:8080/a',
    'https://gw.example:80/a',
    'http://user@gw.example/a',
    'http://user:pw@gw.example/a',
    'http://@gw.example/a',
    'http://gw.example@evil.example/a',
    'http://gw%2eexample/a',
    'http://gw.example//a',
    'http://gw.example/a?b',
    'http://gw.example/a#b',
    'http://gw.example/a/../b',
    ' http://gw.example/a',
    'http://gw.example/a ',
    'ftp://gw.example/a',
    'httpx://gw.example/a',
    'view-source:http://gw.example/a',
    'http://gw.example/\u00e4',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(readOwnUrl(text, 'gw.example'), null));
  }

  test('has one port at most', () => {
    assert.equal(readOwnUrl('http://gw.example:8080:80/a', 'gw.example:8080'), null);
    assert.equal(readOwnUrl('https://[2001:db8::1]:80:443/a', '[2001:db8::1]:80'), null);
  });

  test('is where a URL parser would find it', () => {
    const piece = fc.constantFrom(
      ...[
        'http://',
        'https://',
        'gw.example',
        'evil.example',
        ':80',
        ':443',
        '@',
        '/',
        '//',
        '\\',
        'a',
        '..',
        '.',
        '?',
        '#',
      ],
      ...['%2e', '%2f', ':', 'user', ' ', '\t', '[', ']'],
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        const found = readOwnUrl(text, 'gw.example');
        if (found === null) return;
        const url = new URL(text, 'http://gw.example');
        assert.equal(url.hostname, 'gw.example');
        assert.equal(url.port, '');
        assert.equal(url.username + url.password + url.search + url.hash, '');
        assert.equal(url.pathname, found.rawPath);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a Destination', () => {
  test('may hold commas', () => {
    assert.equal(parseDestination('/a/b,c.jpg', 'gw.example')?.rawPath, '/a/b,c.jpg');
  });

  for (const field of [
    '/a,/b',
    '/a, /b',
    '/a,http://gw.example/b',
    'http://gw.example/a,HTTPS://evil.example/b',
  ]) {
    test(`is one value, not ${field}`, () => assert.equal(parseDestination(field, 'gw.example'), null));
  }
});
