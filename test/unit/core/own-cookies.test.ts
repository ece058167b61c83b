import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isOwnCookie, withoutOwnCookies } from '../../../src/core/own-cookies.ts';

test('cookies of our own pages are taken out and others stay in order', () => {
  assert.equal(withoutOwnCookies('a=1; __Host-latchkey=s; b=2'), 'a=1; b=2');
  assert.equal(withoutOwnCookies('latchkey_session=s;a=1'), 'a=1');
  assert.equal(withoutOwnCookies('__Host-latchkey-visitor=s; latchkey_language=de'), '');
});

test('a field without any of ours is left as it is, also where a value speaks of latchkey', () => {
  assert.equal(withoutOwnCookies('a=1;b=2'), null);
  assert.equal(withoutOwnCookies('theme=latchkey_dark;  x=1'), null);
});

test('whatever stands around it, no session cookie is left', () => {
  const part = fc.stringMatching(/^[ -~]{0,20}$/);
  fc.assert(
    fc.property(part, part, fc.constantFrom('__Host-latchkey', 'latchkey_session'), (before, after, name) => {
      const left = withoutOwnCookies(`${before}; ${name}=secret-value; ${after}`);
      assert.ok(left !== null && !left.includes('secret-value'));
    }),
  );
});

test('a cookie without a name is ours where a browser would send it back as one of ours', () => {
  for (const field of ['=latchkey_session=evil; Path=/', ' = __Host-latchkey=evil', '==latchkey_session=x']) {
    assert.ok(isOwnCookie(field), field);
  }
  assert.ok(!isOwnCookie('=theirs=1'));
  assert.ok(!isOwnCookie('theme=latchkey_dark'));
});
