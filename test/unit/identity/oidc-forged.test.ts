import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { JWTPayload } from 'jose';
import type { OidcConfig } from '../../../src/config/sign-in-config.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { Fault } from '../../../src/core/errors.ts';
import type { RedirectSource, SourceVerdict } from '../../../src/identity/source.ts';
import { createOidcSource } from '../../../src/identity/sources/oidc.ts';
import { type ForgedProvider, startForgedProvider } from '../../support/forged-provider.ts';
import { oidcConfig } from '../../support/oidc-config.ts';

const callback = 'http://127.0.0.1:8080/.latchkey/sign-in/sso/callback';
const now = Math.floor(Date.now() / 1_000);

describe('an answer of a provider', () => {
  let provider: ForgedProvider;
  let source: RedirectSource;
  beforeEach(async () => {
    provider = await startForgedProvider();
    source = createOidcSource({ config: oidcConfig(provider), clock: systemClock });
  });
  afterEach(async () => {
    await source.close();
    await provider.close();
  });

  const signIn = async (fresh = false, from = source): Promise<SourceVerdict> => {
    const { url, pending } = await from.begin(callback, fresh);
    return from.finish(provider.answerTo(url), pending);
  };
  const configured = async (changes: Partial<OidcConfig>): Promise<SourceVerdict> => {
    const other = createOidcSource({ config: oidcConfig(provider, changes), clock: systemClock });
    try {
      return await signIn(false, other);
    } finally {
      await other.close();
    }
  };

  test('that is honest is believed', async () => {
    const verdict = await signIn();
    assert.equal(verdict.kind === 'known' && verdict.identity.subject, 'somebody');
  });

  const lies: Readonly<Record<string, JWTPayload>> = {
    'of another issuer': { iss: 'http://127.0.0.1:1' },
    'for another client': { aud: 'somebody else' },
    'for several, without saying for whom': { aud: ['latchkey', 'other'] },
    'for several, and another of them': { aud: ['latchkey', 'other'], azp: 'other' },
    'with another nonce': { nonce: 'another' },
    'that is over': { iat: now - 7_200, exp: now - 3_600 },
    'that is not valid yet': { nbf: now + 3_600 },
    'without a subject': { sub: '' },
  };
  for (const [what, claims] of Object.entries(lies)) {
    test(`with an ID token ${what} is refused`, async () => {
      provider.lies.claims = claims;
      assert.equal((await signIn()).kind, 'refused');
    });
  }

  test('with an ID token of a key that it does not publish is refused', async () => {
    provider.lies.signsWithForeignKey = true;
    assert.equal((await signIn()).kind, 'refused');
  });

  test('with an ID token that nobody signed is refused', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: provider.issuer, aud: 'latchkey', sub: 'x', iat: now, exp: now + 600 };
    for (const alg of ['none', 'HS256']) {
      provider.lies.idToken = `${part({ alg })}.${part(claims)}.`;
      assert.equal((await signIn()).kind, 'refused', alg);
    }
  });

  test('to a confirmation is believed only where it says that the person was asked just now', async () => {
    provider.lies.claims = { auth_time: now };
    assert.equal((await signIn(true)).kind, 'known');
    for (const auth_time of [undefined, now - 3_600, String(now)]) {
      provider.lies.claims = { auth_time };
      assert.equal((await signIn(true)).kind, 'refused', String(auth_time));
    }
  });

  test('that refuses the code is a refusal, any other trouble there a fault of ours', async () => {
    const answers: readonly (readonly [number, string, boolean])[] = [
      [400, '{"error":"invalid_grant"}', true],
      [401, '{"error":"invalid_client"}', false],
      [500, 'oops', false],
      [200, 'not json', false],
      [302, '', false],
      [200, `{"access_token":"${'x'.repeat(1024 * 1024)}"}`, false],
    ];
    for (const [status, body, isRefusal] of answers) {
      provider.lies.tokenAnswer = { status, body };
      if (isRefusal) assert.equal((await signIn()).kind, 'refused');
      else {
        await assert.rejects(
          signIn(),
          (error) => error instanceof Fault && error.code === 'sign_in_unavailable',
          `${status} ${body.slice(0, 20)}`,
        );
      }
    }
  });

  test('that describes itself as another is not listened to', async () => {
    provider.lies.metadata = { issuer: 'https://login.example.org' };
    await assert.rejects(source.begin(callback, false), (error) => error instanceof Fault);
  });

  test('that sends us to an address that is not of the web is not followed', async () => {
    provider.lies.metadata = { token_endpoint: 'ftp://127.0.0.1/token' };
    await assert.rejects(signIn(), (error) => error instanceof Fault);
  });

  test('names groups at the top, below a path, or under a name with dots', async () => {
    provider.lies.claims = {
      groups: ['a', 'b'],
      realm_access: { roles: ['c'] },
      'https://example.org/groups': 'd',
    };
    const names: readonly (readonly [claim: string, group: string, isKnown: boolean])[] = [
      ['groups', 'b', true],
      ['groups', 'B', false],
      ['realm_access.roles', 'c', true],
      ['https://example.org/groups', 'd', true],
      ['constructor.name', 'Object', false],
      ['missing', 'undefined', false],
      ['realm_access', '[object Object]', false],
    ];
    for (const [groupsClaim, group, isKnown] of names) {
      const verdict = await configured({ groupsClaim, allowedGroups: [group] });
      assert.equal(verdict.kind, isKnown ? 'known' : 'refused', groupsClaim);
    }
  });

  test('makes admins by their groups, who may then sign in too', async () => {
    provider.lies.claims = { groups: ['admins'] };
    const verdict = await configured({ allowedGroups: ['staff'], adminGroups: ['admins'] });
    assert.equal(verdict.kind === 'known' && verdict.identity.isAdmin, true);
    provider.lies.claims = { groups: ['staff'] };
    const other = await configured({ allowedGroups: ['staff'], adminGroups: ['admins'] });
    assert.equal(other.kind === 'known' && other.identity.isAdmin, false);
  });

  test('without the claim that names users lets nobody in', async () => {
    assert.equal((await configured({ userName: 'preferred_username' })).kind, 'refused');
    provider.lies.claims = { preferred_username: 'sam' };
    const verdict = await configured({ userName: 'preferred_username' });
    assert.equal(verdict.kind === 'known' && verdict.identity.userName, 'sam');
  });
});
