import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { foldUserName } from '../../../src/core/user-name.ts';
import { checkUserName } from '../../../src/identity/user-name.ts';

describe('a user name', () => {
  test('may be what people are called', () => {
    for (const name of [
      'alice',
      'Alice Smith',
      'alice@example.org',
      'Ünal',
      '李雷',
      'o’neil',
      'a.b',
      '...',
    ]) {
      assert.deepEqual(checkUserName(name), { name });
    }
  });

  test('is kept composed', () => {
    assert.deepEqual(checkUserName('U\u0308nal'), { name: '\u00dcnal' });
  });

  const wrong = [
    '',
    ' ',
    ' a',
    'a ',
    'a:b',
    'a/b',
    'a\\b',
    '.',
    '..',
    'a\nb',
    'a\0',
    'a\u202eb',
    'x'.repeat(129),
  ];
  wrong.push('a\uff1ab', 'a\uff0fb', '\ud800', 'a\u200bb', '\u2025');
  for (const name of wrong) {
    test(`is not ${JSON.stringify(name)}`, () => assert.ok('problem' in checkUserName(name)));
  }

  test('that is accepted fits into Basic, one path segment and a header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        const checked = checkUserName(text);
        if ('problem' in checked) return;
        assert.ok(!/[:/\\\p{Cc}]/u.test(checked.name));
        assert.ok(checked.name !== '.' && checked.name !== '..');
        assert.deepEqual(checkUserName(checked.name), checked);
      }),
    );
  });
});

describe('folding a user name', () => {
  test('makes one of its spellings', () => {
    const keys = ['Alice', 'alice', 'ALICE', 'Ａｌｉｃｅ'].map(foldUserName);
    assert.equal(new Set(keys).size, 1);
    assert.equal(foldUserName('U\u0308nal'), foldUserName('\u00fcnal'));
  });

  test('keeps different names apart', () => assert.notEqual(foldUserName('alice'), foldUserName('alicé')));

  test('twice is the same as once', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) => foldUserName(foldUserName(text)) === foldUserName(text),
      ),
    );
  });
});
