import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { createOidcSource } from '../../src/identity/sources/oidc.ts';
import type { SignedIn, SignInRefusal } from '../../src/management/sign-in.ts';
import { type ForgedProvider, startForgedProvider } from '../support/forged-provider.ts';
import { oidcConfig } from '../support/oidc-config.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { browser, openSignInWorld, type SignInWorld } from '../support/sign-in-world.ts';

const address = 'root@example.org';
/** What others have taken for that address, or for one of its domain. */
const lookalikes = [
  address,
  'ROOT@EXAMPLE.ORG',
  'root@example.org@evil.example',
  'mallory@evil.example@example.org',
  'root@example.org\u0000@evil.example',
  '"root@example.org"@evil.example',
  'root@example.org,mallory@evil.example',
  ' root@example.org',
];

describe('an identity provider', () => {
  let provider: ForgedProvider;
  let scratch: Scratch;
  let world: SignInWorld;
  before(async () => {
    scratch = await makeScratch('identity-providers');
    provider = await startForgedProvider();
    const source = (name: string, userName: string) =>
      createOidcSource({ config: oidcConfig(provider, { name, userName }), clock: systemClock });
    world = await openSignInWorld({
      path: scratch.file('latchkey.db'),
      ways: [source('plain', 'uuid'), source('by-mail', 'email')],
    });
  });
  after(async () => {
    await world.close();
    await provider.close();
    await scratch.remove();
  });

  const signIn = async (source: string, sub: string, email: string): Promise<SignedIn | SignInRefusal> => {
    provider.lies.claims = { sub, email, email_verified: true };
    const begun = await world.signIn.begin(source, 'http://127.0.0.1/callback', false);
    assert.ok(begun);
    const back = provider.answerTo(begun.url);
    const current = { secret: null, confirming: null };
    return world.signIn.finish(browser, source, back, begun.pending, current);
  };

  test('makes nobody somebody else by an e-mail address, however that is written [CVE-2026-40574, S2]', async () => {
    for (const source of ['plain', 'by-mail']) {
      const owner = await signIn(source, 'the owner', address);
      assert.ok(owner.kind === 'signed_in');
      const { id } = owner.person.user;
      await world.userStore.change(
        id,
        { role: 'admin' },
        { at: 0, action: 'user.role', actor: 'test', userId: id, tokenId: null, details: {} },
      );
      for (const [at, email] of lookalikes.entries()) {
        const other = await signIn(source, `somebody ${at}`, email);
        if (other.kind === 'refused') continue;
        const { user } = other.person;
        assert.notEqual(user.id, id, email);
        assert.notEqual(user.nameKey, owner.person.user.nameKey, email);
        assert.equal(user.role, 'user', email);
        assert.ok(
          user.email === null || user.email.split('@').length === 2,
          `${email} kept as ${user.email}`,
        );
      }
      const again = await signIn(source, 'the owner', 'moved@example.org');
      assert.equal(again.kind === 'signed_in' && again.person.user.id, id);
    }
  });
});
