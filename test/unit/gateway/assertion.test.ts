import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { type AssertionSigner, createAssertionSigner } from '../../../src/gateway/assertion.ts';
import { type SteppedClock, steppedClock } from '../../support/stepped-clock.ts';
import { principal } from './route-fixture.ts';

const { privateKey } = generateKeyPairSync('ed25519');

async function start(): Promise<{ clock: SteppedClock; signer: AssertionSigner }> {
  const clock = steppedClock();
  return { clock, signer: await createAssertionSigner(privateKey, clock) };
}

describe('an assertion', () => {
  test('is verified by the published keys and says who, where, by which token and with which scopes', async () => {
    const { clock, signer } = await start();
    const jwt = await signer.sign(principal({ userName: 'jürgen' }), 'files');
    const { payload, protectedHeader } = await jwtVerify(jwt, createLocalJWKSet(signer.jwks), {
      audience: 'files',
      issuer: 'latchkey',
      algorithms: ['EdDSA'],
      currentDate: new Date(clock.now()),
    });
    const { userId, tokenId } = principal();
    const seconds = clock.now() / 1_000;
    assert.deepEqual(payload, {
      user_id: userId,
      token_id: tokenId,
      scope: '*',
      iss: 'latchkey',
      sub: 'jürgen',
      aud: 'files',
      iat: seconds,
      exp: seconds + 120,
    });
    assert.equal(protectedHeader.kid, signer.jwks.keys[0]?.kid);
  });

  test('publishes no private key', async () => {
    const { signer } = await start();
    assert.equal('d' in (signer.jwks.keys[0] ?? { d: '' }), false);
  });

  test('is signed once for requests that come together, and then needs no promise for a minute', async () => {
    const { clock, signer } = await start();
    const alice = principal();
    const [first, second] = await Promise.all([signer.sign(alice, 'files'), signer.sign(alice, 'files')]);
    assert.equal(first, second);
    clock.advance(59_999);
    assert.equal(signer.sign(alice, 'files'), first);
    clock.advance(1);
    assert.notEqual(await signer.sign(alice, 'files'), first);
  });

  test('is never that of another route', async () => {
    const { signer } = await start();
    const alice = principal();
    assert.notEqual(await signer.sign(alice, 'files'), await signer.sign(alice, 'calendar'));
  });

  test('is new as soon as the principal is: what a token lost is not asserted any longer', async () => {
    const { signer } = await start();
    const before = await signer.sign(principal(), 'files');
    const after = await signer.sign(principal({ scopes: [] }), 'files');
    assert.notEqual(before, after);
    const claims = JSON.parse(Buffer.from(after.split('.')[1] as string, 'base64url').toString('utf8'));
    assert.equal(claims.scope, '');
  });

  test('is new after the clock was set back, so that none lies in the future', async () => {
    const { clock, signer } = await start();
    const alice = principal();
    const before = await signer.sign(alice, 'files');
    clock.advance(-10_000);
    assert.notEqual(await signer.sign(alice, 'files'), before);
  });
});
