import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PepperId, TokenDigest, TokenId, UserId } from '../../../src/core/ids.ts';
import { createTokenCompiler, type TokenFact } from '../../../src/tokens/cached-token.ts';

function fact(id: string, scopes: readonly string[], ownerName = 'alice'): TokenFact {
  return {
    id: id as TokenId,
    version: 1,
    digest: 'digest' as TokenDigest,
    pepperId: 'first' as PepperId,
    scopes,
    expiresAt: null,
    slidingMs: null,
    notBefore: null,
    enabled: true,
    revoked: false,
    networks: [],
    deleteUnusedMs: null,
    touchedAt: 0,
    ownerId: 'alice-id' as UserId,
    ownerName,
    ownerDisabled: false,
    ownerVersion: 1,
  };
}

describe('cached tokens', () => {
  test('with the same scopes share one reading of them', () => {
    const compile = createTokenCompiler();
    const [one, other] = [compile(fact('a', ['path:/a/:r'])), compile(fact('b', ['path:/a/:r']))];
    assert.equal(one.principal.scopes, other.principal.scopes);
    assert.notEqual(one.principal.tokenId, other.principal.tokenId);
  });

  test('never get the scopes of a set whose texts only run together alike', () => {
    const compile = createTokenCompiler();
    for (const between of ['', ' ', '\n', ',', '","', '1:*']) {
      const several = compile(fact('a', ['path:/a/:r', between, '*']));
      assert.ok(several.principal.scopes.some(({ kind }) => kind === 'everything'));
      for (const text of [`path:/a/:r${between}*`, `path:/a/:r${between}${between}*`]) {
        const { scopes } = compile(fact('b', [text])).principal;
        assert.ok(!scopes.some(({ kind }) => kind === 'everything'), text);
      }
    }
  });

  test('bear the name that their owner had when they were read', () => {
    const compile = createTokenCompiler();
    for (const name of ['alice', 'alicia', 'alice']) {
      assert.equal(compile(fact('a', ['*'], name)).principal.userName, name);
    }
  });

  test('with scopes that nobody shares are read all the same', () => {
    const compile = createTokenCompiler();
    const long = Array.from({ length: 64 }, (_, at) => `path:/${'x'.repeat(100)}/${at}/:r`);
    assert.equal(compile(fact('a', long)).principal.scopes.length, 64);
    for (let at = 0; at < 10_050; at++) {
      const [scope] = compile(fact(`t${at}`, [`route:r${at}:r`])).principal.scopes;
      assert.deepEqual(scope, { kind: 'route', route: `r${at}`, access: { read: true, write: false } });
    }
  });
});
