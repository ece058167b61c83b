import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { openSealedText, sealText, type SealingKey } from '../../../src/core/sealed-text.ts';

const newKey = (): SealingKey => randomBytes(32) as unknown as SealingKey;

test('what is sealed opens to the same text, twice sealed never to the same bytes', () => {
  const key = newKey();
  fc.assert(
    fc.property(fc.string(), (text) => {
      const sealed = sealText(key, 'cookie', text);
      assert.equal(openSealedText(key, 'cookie', sealed), text);
      assert.notEqual(sealText(key, 'cookie', text), sealed);
    }),
  );
});

test('another key, another context and any changed byte open nothing', () => {
  const key = newKey();
  const sealed = sealText(key, 'cookie', 'a secret');
  assert.equal(openSealedText(newKey(), 'cookie', sealed), null);
  assert.equal(openSealedText(key, 'grant', sealed), null);
  const bytes = Buffer.from(sealed, 'base64url');
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(openSealedText(key, 'cookie', changed.toString('base64url')), null);
  }
});

test('what nobody sealed opens nothing', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(openSealedText(newKey(), 'cookie', text), null);
    }),
  );
});
