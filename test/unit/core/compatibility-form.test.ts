import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compatibilityForm } from '../../../src/core/compatibility-form.ts';
import { canonicalPath } from '../../../src/core/path.ts';
import { foldUserName } from '../../../src/core/user-name.ts';

/** Each mark of the second half belongs before all of the first. */
const unsorted = (count: number): string => '\u0301'.repeat(count) + '\u0316'.repeat(count);

describe('the compatibility form', () => {
  test('is NFKC of any text without long runs of marks', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        fc.pre(!/[\p{M}\uff9e\uff9f]{31}/u.test(text));
        assert.equal(compatibilityForm(text), text.normalize('NFKC'));
      }),
    );
  });

  test('has 30 marks of a longer run', () => {
    assert.equal(compatibilityForm(`a${unsorted(200)}b`), `á${'\u0301'.repeat(29)}b`);
    assert.equal(compatibilityForm(`a${'\u{1d165}'.repeat(300)}b`), `a${'\u{1d165}'.repeat(30)}b`);
  });

  test('is found in time that grows with the length', { timeout: 10_000 }, () => {
    assert.equal(compatibilityForm(unsorted(100_000)).length, 30);
    assert.equal(compatibilityForm('\u0301\uff9e'.repeat(100_000)).length, 30);
  });
});

describe('a run of 100,000 marks takes no time', () => {
  test('in a path', { timeout: 10_000 }, () => {
    const raw = encodeURI(`/${unsorted(50_000)}`);
    assert.equal(canonicalPath(raw), decodeURI(raw));
  });

  test('in a user name', { timeout: 10_000 }, () => {
    assert.equal(foldUserName(`Alice${unsorted(50_000)}`), foldUserName(`alice${unsorted(60_000)}`));
  });
});
