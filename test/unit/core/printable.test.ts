import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printable, printableLines } from '../../../src/core/printable.ts';

test('what steers a terminal, hides or turns text around is shown as JSON would escape it', () => {
  assert.equal(printable('a\u001B[31mb\r\n\u009B2J\u007F'), 'a\\u001b[31mb\\u000d\\u000a\\u009b2J\\u007f');
  assert.equal(printable('\u202Eabc\u2066\u200B\u2028'), '\\u202eabc\\u2066\\u200b\\u2028');
  assert.equal(printable('\u{E0041}'), '\\udb40\\udc41');
  assert.equal(printable('\uD800'), '\\ud800');
});

test('all other text stays as it is', () => {
  const text = 'Ünïcode 日本語 🙂 "quotes" \\ and spaces';
  assert.equal(printable(text), text);
  assert.equal(printableLines(`${text}\n${text}`), `${text}\n${text}`);
});

test('JSON that is made printable stays the same data', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value, null, 2);
      assert.deepEqual(JSON.parse(printableLines(text)), JSON.parse(text));
    }),
  );
});
