import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../../src/core/errors.ts';
import { compileIdentityHeader, fieldBytes } from '../../../src/gateway/identity-headers.ts';
import { principal } from './route-fixture.ts';

describe('an identity header', () => {
  test('fills its template, and knows no other placeholders', () => {
    const header = compileIdentityHeader('X-Who', 'u={user};r={route};{x}', 'files');
    assert.equal(header.render(principal()), 'u=alice;r=files;{x}');
  });

  test('fills each placeholder once: a name that looks like one stays a name', () => {
    const header = compileIdentityHeader('X-Who', '{user} {tokenId}', 'files');
    assert.equal(header.render(principal({ userName: '{route}$&', tokenId: null })), '{route}$&');
  });

  test('leaves the token id empty where the main password was used', () => {
    assert.equal(compileIdentityHeader('X', 't:{tokenId}', 'f').render(principal({ tokenId: null })), 't:');
  });
});

describe('a user name that a backend would read as another', () => {
  test('is a fault: spaces around it are cut off on the way', () => {
    for (const userName of [' alice', 'alice ', '', '\u00a0alice']) {
      for (const template of ['{user}', 'u={user};']) {
        const header = compileIdentityHeader('X-Who', template, 'files');
        assert.throws(() => header.render(principal({ userName })), Fault, JSON.stringify(userName));
      }
    }
  });
});

describe('a header value', () => {
  test('is the UTF-8 of its text, one character per byte', () => {
    assert.equal(fieldBytes('jürgen'), 'jÃ¼rgen');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const name = `<${text.replace(/[\u0000-\u001f\u007f]/g, '')}>`;
        assert.equal(Buffer.from(fieldBytes(name), 'latin1').toString('utf8'), name);
      }),
    );
  });

  test('with a control character is a fault, never a second header', () => {
    for (const text of ['a\r\nX-Admin: 1', 'a\nb', 'a\u0000', 'a\tb', '\u007f']) {
      assert.throws(() => fieldBytes(text), Fault, JSON.stringify(text));
    }
  });
});
