import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { systemRandom } from '../../../src/core/random.ts';
import { isTokenShaped, isWellFormed, mintToken } from '../../../src/tokens/mint.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function fromBase62(text: string): number {
  return Array.from(text).reduce((value, digit) => value * 62 + alphabet.indexOf(digit), 0);
}

describe('a minted token', () => {
  test('is lk_ and 42 base62 characters: 45 in all', () => {
    for (let count = 0; count < 100; count++) assert.match(mintToken(systemRandom), /^lk_[0-9A-Za-z]{42}$/);
  });

  test('ends in the CRC-32 of its 36 random characters', () => {
    for (let count = 0; count < 100; count++) {
      const token = mintToken(systemRandom);
      assert.equal(fromBase62(token.slice(39)), crc32(token.slice(3, 39)));
    }
  });

  test('is well formed, and stays so on no change of one character', () => {
    const token = mintToken(systemRandom);
    assert.ok(isWellFormed(token));
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'x' ? 'y' : 'x';
      assert.ok(!isWellFormed(token.slice(0, at) + other + token.slice(at + 1)), `position ${at}`);
    }
  });

  test('uses every character about equally often', () => {
    const counts = new Map<string, number>();
    for (let count = 0; count < 2_000; count++) {
      for (const char of mintToken(systemRandom).slice(3, 39)) counts.set(char, (counts.get(char) ?? 0) + 1);
    }
    const expected = (2_000 * 36) / 62;
    assert.equal(counts.size, 62);
    // Ten standard deviations: random for good, while a modulo bias would be 25 % off.
    for (const count of counts.values()) assert.ok(Math.abs(count - expected) < expected * 0.3);
  });

  test('goes on drawing where bytes stand for no character', () => {
    let calls = 0;
    const token = mintToken((count) => new Uint8Array(count).fill(calls++ === 0 ? 63 : 10));
    assert.equal(token.slice(3, 39), 'A'.repeat(36));
    assert.ok(isWellFormed(token));
  });
});

describe('what is not well formed', () => {
  test('is refused: wrong prefix, length, alphabet or checksum', () => {
    const token = mintToken(systemRandom);
    const wrong = ['', 'lk_', token.slice(0, -1), `${token}0`, `LK_${token.slice(3)}`, ` ${token.slice(1)}`];
    wrong.push(`${token.slice(0, 10)}-${token.slice(11)}`, `${token.slice(0, 10)}é${token.slice(11)}`);
    for (const text of wrong) assert.ok(!isWellFormed(text), JSON.stringify(text));
  });

  test('includes everything but real tokens, whatever it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => !isWellFormed(text)));
  });

  test('may still have the shape of a token', () => {
    assert.ok(isTokenShaped(`lk_${'0'.repeat(41)}1`));
    assert.ok(!isTokenShaped('correct horse battery staple'));
  });
});
