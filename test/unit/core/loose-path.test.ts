import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { loosePath } from '../../../src/core/loose-path.ts';

describe('the loose form of a path', () => {
  for (const [path, loose] of [
    ['/a/b.c/', '/a/b.c/'],
    ['/A/B', '/a/b'],
    ['/a./b ./c. .', '/a/b/c'],
    ['/a;x=1/b;y', '/a/b'],
    ['/a::$DATA', '/a'],
    ['/a. ;b/c ', '/a/c'],
    ['/\u212a/\u017f', '/k/s'],
    ['/I\u0307/\u0131', '/i\u0307/i'],
    ['/stra\u00dfe', '/strasse'],
    ['/u\u0308', '/ü'],
    ['/\uff21', '/a'],
    ['/a\u200b\u00adb', '/ab'],
    ['/%61%C3%9C', '/aü'],
  ] as const) {
    test(`of ${JSON.stringify(path)} is ${loose}`, () => assert.equal(loosePath(path), loose));
  }

  test('is the same for a path in capitals, in small letters, decomposed and with parameters', () => {
    const segment = fc.stringMatching(/^[a-zäöüßéñ0-9_-]{1,8}$/u);
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1 }), (segments) => {
        const path = `/${segments.join('/')}`;
        for (const other of [path.toUpperCase(), path.normalize('NFD'), `${path};a=b`, `${path}. `]) {
          assert.equal(loosePath(other), loosePath(path));
        }
      }),
    );
  });

  test('is found in time that grows with the length, whatever stands in it', { timeout: 10_000 }, () => {
    const dots = '.'.repeat(262_144);
    assert.equal(loosePath(`/${dots}X`), `/${dots}x`);
    assert.equal(loosePath(`/X${' .'.repeat(131_072)}`), '/x');
    const marks = '%CC%81'.repeat(20_000) + '%CC%96'.repeat(20_000);
    assert.equal(loosePath(`/X${marks}`).length, 32);
  });

  test('has as many segments', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const path = `/${name.replace(/[/\\%]/g, '')}/x`.normalize('NFKC').replaceAll('//', '/');
        assert.equal(loosePath(path).split('/').length, path.split('/').length);
      }),
    );
  });
});
