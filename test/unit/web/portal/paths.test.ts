import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownAddress, paths, withQuery } from '../../../../src/web/portal/paths.ts';

test('after signing in only pages of ours are gone to', () => {
  for (const own of [
    '/.latchkey/devices',
    '/.latchkey/tokens/new?from=1',
    '/.latchkey/admin/audit?a=b&c=d',
  ]) {
    assert.equal(ownAddress(own), own);
  }
  const foreign = [
    ...['', '/', 'https://evil.example/', '//evil.example/', '/\\evil.example', '/.latchkey', '/dav/'],
    ...['/.latchkey/\\evil', '/.latchkey/../dav/', '/.latchkey/..//evil.example', '/.latchkey/%2e%2e/dav/'],
    ...['javascript:alert(1)', '/.latchkey/\n', ' /.latchkey/', '/.latchkey/é', '/.latchkey@evil.example/'],
    ...['/.latchkey/sign-in', '/.latchkey/sign-in/company/callback', `/.latchkey/${'a'.repeat(2_000)}`],
  ];
  for (const asked of foreign) assert.equal(ownAddress(asked), paths.tokens, JSON.stringify(asked));
});

test('parameters without a value are left out of an address', () => {
  assert.equal(withQuery('/a', { q: '', b: null, c: undefined }), '/a');
  assert.equal(withQuery('/a', { q: 'x y&z' }), '/a?q=x+y%26z');
  assert.equal(withQuery('/a?b=1', { c: '2' }), '/a?b=1&c=2');
});
