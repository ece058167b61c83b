import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { OidcConfig } from '../../src/config/sign-in-config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Fault } from '../../src/core/errors.ts';
import { isUuid } from '../../src/core/uuid.ts';
import type { Standing } from '../../src/identity/source.ts';
import { createOidcSource } from '../../src/identity/sources/oidc.ts';
import { makeCertificates } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { oidcConfig } from '../support/oidc-config.ts';
import {
  type OidcProvider,
  type ProviderBrowser,
  type ProviderPerson,
  signInAtProvider,
  startOidcProvider,
} from '../support/oidc-provider.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { browser, openSignInWorld, type SignInWorld } from '../support/sign-in-world.ts';
import { tester } from '../support/token-world.ts';

const person = (subject: string, groups: readonly string[] = ['staff']): ProviderPerson => ({
  subject,
  login: subject,
  password: `the password of ${subject}`,
  name: `${subject} at the provider`,
  email: `${subject}@example.org`,
  groups,
});

const ada = person('ada');
const bea = person('bea', ['staff', 'admins']);
const cid = person('cid', []);
const callback = 'http://127.0.0.1:8080/.latchkey/sign-in/sso/callback';

/** Everybody's clock is the machine's: the provider's tokens say when they were made. */
function clocked(config: OidcConfig) {
  return createOidcSource({ config, clock: systemClock });
}

describe('signing in at a provider', () => {
  let provider: OidcProvider;
  let other: OidcProvider;
  let scratch: Scratch;
  let world: SignInWorld;
  before(async () => {
    scratch = await makeScratch('oidc');
    provider = await startOidcProvider({ people: [ada, bea, cid] });
    other = await startOidcProvider({ people: [ada], claimsByUserInfo: true });
    world = await openSignInWorld({
      path: scratch.file('latchkey.db'),
      ways: [
        { kind: 'local' },
        clocked(oidcConfig(provider, { allowedGroups: ['staff'], adminGroups: ['admins'] })),
        clocked(oidcConfig(other, { name: 'other', userName: 'preferred_username' })),
      ],
    });
  });
  after(async () => {
    await world.close();
    await provider.stop();
    await other.stop();
    await scratch.remove();
  });

  const begin = async (source = 'sso', fresh = false) => {
    const begun = await world.signIn.begin(source, callback.replace('sso', source), fresh);
    assert.ok(begun);
    return begun;
  };
  const finish = (source: string, url: string, pending: string, secret: string | null = null) =>
    world.signIn.finish(browser, source, url, pending, { secret, confirming: null });
  const signIn = async (who: ProviderPerson, source = 'sso', at?: ProviderBrowser) => {
    const { url, pending } = await begin(source);
    return finish(source, await signInAtProvider(url, who, at), pending);
  };
  const signedIn = async (who: ProviderPerson, source = 'sso', at?: ProviderBrowser) => {
    const outcome = await signIn(who, source, at);
    assert.ok(outcome.kind === 'signed_in', JSON.stringify(world.told.at(-1)));
    return outcome;
  };
  const codeOf = (outcome: { readonly kind: string; readonly code?: string }) => outcome.code;

  test('makes a user with a UUID as login name, and keeps the display name', async () => {
    const { person: found, secret } = await signedIn(ada);
    assert.equal(found.user.name, found.user.id);
    assert.ok(isUuid(found.user.name));
    assert.deepEqual(
      [found.user.source, found.user.subject, found.user.displayName, found.user.email, found.user.role],
      ['sso', 'ada', 'ada at the provider', 'ada@example.org', 'user'],
    );
    assert.equal((await world.signIn.recognise(secret, browser))?.isConfirmed, true);
    const again = await signedIn(ada);
    assert.equal(again.person.user.id, found.user.id);
    assert.equal(world.signIn.confirmationWay(again.person), 'redirect');
  });

  test('can name users by a claim, also one that UserInfo alone tells', async () => {
    const { person: found } = await signedIn(ada, 'other');
    assert.deepEqual([found.user.name, found.user.displayName], ['ada', 'ada at the provider']);
  });

  test('keeps display name, mail and role as the provider has them', async () => {
    const first = await signedIn(bea);
    assert.equal(first.person.user.role, 'admin');
    await provider.change('bea', { name: 'Bea B.', email: 'b@example.org', groups: ['staff'] });
    const { user } = (await signedIn(bea)).person;
    assert.deepEqual([user.displayName, user.email, user.role], ['Bea B.', 'b@example.org', 'user']);
    assert.equal(user.id, first.person.user.id);
  });

  test('lets in nobody who is in none of the groups', async () => {
    assert.equal(codeOf(await signIn(cid)), 'sign_in_refused');
    assert.equal(await world.userStore.findBySubject('sso', 'cid'), null);
  });

  test('lets in nobody whom an admin has disabled, whatever the provider says', async () => {
    const dan = person('dan');
    await provider.change('cid', { ...dan, subject: 'cid' });
    const { person: found } = await signedIn({ ...dan, subject: 'cid' });
    await world.users.change(tester, found.user.id, { disabled: true });
    assert.equal(codeOf(await signIn({ ...dan, subject: 'cid' })), 'sign_in_refused');
    assert.equal((await world.userStore.get(found.user.id))?.disabled, true);
  });

  test('ends what is lapsed', async () => {
    const { person: found } = await signedIn(ada);
    await world.userStore.change(found.user.id, { lapsed: true }, auditOf('user.lapse'));
    assert.equal((await signedIn(ada)).person.user.lapsed, false);
  });

  test('ends the session that the browser had', async () => {
    const first = await signedIn(ada);
    const { url, pending } = await begin();
    const outcome = await finish('sso', await signInAtProvider(url, bea), pending, first.secret);
    assert.equal(outcome.kind, 'signed_in');
    assert.equal(await world.signIn.recognise(first.secret, browser), null);
  });

  test('asks for code, PKCE, state and nonce, and never sends secrets with the browser', async () => {
    const url = new URL((await begin()).url);
    const { searchParams: asked } = url;
    assert.equal(url.origin, provider.issuer);
    assert.deepEqual([asked.get('response_type'), asked.get('code_challenge_method')], ['code', 'S256']);
    for (const name of ['state', 'nonce', 'code_challenge'])
      assert.match(asked.get(name) ?? '', /^[\w-]{43}$/);
    assert.doesNotMatch(url.href, /client.secret/);
  });

  test('refuses a callback that comes again', async () => {
    const { url, pending } = await begin();
    const back = await signInAtProvider(url, ada);
    assert.equal((await finish('sso', back, pending)).kind, 'signed_in');
    assert.equal(codeOf(await finish('sso', back, pending)), 'sign_in_refused');
  });

  const meddled: readonly (readonly [string, (back: URL, pending: Record<string, unknown>) => void])[] = [
    ['another state', (back) => back.searchParams.set('state', 'x'.repeat(43))],
    ['no state', (back) => back.searchParams.delete('state')],
    ['the state twice', (back) => back.searchParams.append('state', back.searchParams.get('state') ?? '')],
    ['another nonce', (_, pending) => (pending['nonce'] = 'x'.repeat(43))],
    ['another code verifier', (_, pending) => (pending['verifier'] = 'x'.repeat(43))],
    ['another code', (back) => back.searchParams.set('code', 'x'.repeat(43))],
    ['no code', (back) => back.searchParams.delete('code')],
    ['another issuer', (back) => back.searchParams.set('iss', 'http://127.0.0.1:1')],
    ['no issuer', (back) => back.searchParams.delete('iss')],
    ['an error', (back) => back.searchParams.set('error', 'access_denied')],
    ['another address', (back) => (back.pathname = '/elsewhere')],
    ['another host', (back) => (back.host = 'evil.example')],
  ];
  for (const [what, meddle] of meddled) {
    test(`refuses a callback with ${what}`, async () => {
      const { url, pending } = await begin();
      const back = new URL(await signInAtProvider(url, ada));
      const outer = JSON.parse(pending) as { inner: string };
      const inner = JSON.parse(outer.inner) as Record<string, unknown>;
      meddle(back, inner);
      const text = JSON.stringify({ ...outer, inner: JSON.stringify(inner) });
      assert.equal(codeOf(await finish('sso', back.href, text)), 'sign_in_refused');
    });
  }

  test("refuses one browser's callback with another browser's beginning", async () => {
    const [victim, attacker] = [await begin(), await begin()];
    const back = await signInAtProvider(attacker.url, ada);
    assert.equal(codeOf(await finish('sso', back, victim.pending)), 'sign_in_refused');
  });

  test('refuses what was begun at one provider and comes back from another', async () => {
    const [ours, theirs] = [await begin('sso'), await begin('other')];
    const back = await signInAtProvider(theirs.url, ada);
    for (const [source, pending] of [
      ['sso', ours.pending],
      ['sso', theirs.pending],
      ['other', ours.pending],
    ] as const) {
      assert.equal(codeOf(await finish(source, back, pending)), 'sign_in_refused', source);
    }
    // Even where state and address are made to fit, the code and issuer are the other's.
    const forged = new URL(back.replace('/other/', '/sso/'));
    forged.searchParams.set('state', new URL(ours.url).searchParams.get('state') ?? '');
    assert.equal(codeOf(await finish('sso', forged.href, ours.pending)), 'sign_in_refused');
  });

  test('refuses what was begun longer than ten minutes ago', async () => {
    const { url, pending } = await begin();
    const back = await signInAtProvider(url, ada);
    world.clock.advance(600_001);
    assert.equal(codeOf(await finish('sso', back, pending)), 'sign_in_refused');
  });

  test('confirms somebody who is asked anew, and keeps the session and its draft', async () => {
    const at: ProviderBrowser = new Map();
    const { person: found, secret } = await signedIn(ada, 'sso', at);
    world.clock.advance(300_000);
    const stale = await world.signIn.recognise(secret, browser);
    assert.ok(stale !== null && !stale.isConfirmed);
    await world.signIn.keepDraft(stale, '{"action":"revoke"}');
    const { url, pending } = await begin('sso', true);
    assert.match(url, /prompt=login/);
    const back = await signInAtProvider(url, ada, at);
    const confirmed = await world.signIn.finish(browser, 'sso', back, pending, { secret, confirming: stale });
    assert.ok(confirmed.kind === 'signed_in', JSON.stringify(world.told.at(-1)));
    assert.deepEqual([confirmed.secret, confirmed.person.session.id], [secret, found.session.id]);
    const now = await world.signIn.recognise(secret, browser);
    assert.deepEqual([now?.isConfirmed, now?.session.draft], [true, '{"action":"revoke"}']);
  });

  test('confirms nothing by somebody else, nor by a sign-in of before', async () => {
    const at: ProviderBrowser = new Map();
    const { secret, person: confirming } = await signedIn(ada, 'sso', at);
    const somebodyElse = await begin('sso', true);
    const back = await signInAtProvider(somebodyElse.url, bea);
    const refusal = await world.signIn.finish(browser, 'sso', back, somebodyElse.pending, {
      secret,
      confirming,
    });
    assert.equal(codeOf(refusal), 'sign_in_refused');

    const notAnew = await begin();
    const quick = await signInAtProvider(notAnew.url, ada, at);
    const refused = await world.signIn.finish(browser, 'sso', quick, notAnew.pending, { secret, confirming });
    assert.equal(codeOf(refused), 'sign_in_refused');

    // The person takes prompt and max_age out of the address: the provider does not ask, and says since when.
    const anew = await begin('sso', true);
    const stripped = new URL(anew.url);
    stripped.searchParams.delete('prompt');
    stripped.searchParams.delete('max_age');
    const silent = await signInAtProvider(stripped.href, ada, at);
    const unproven = await world.signIn.finish(browser, 'sso', silent, anew.pending, { secret, confirming });
    assert.equal(codeOf(unproven), 'sign_in_refused');
  });

  test('signs out at the provider too, by its own ID token', async () => {
    const { person: found } = await signedIn(ada);
    assert.doesNotMatch(found.session.signOut ?? '', /^ey/);
    const url = new URL((await world.signIn.signOut(found, 'http://127.0.0.1:8080/.latchkey/')) ?? '');
    assert.equal(url.origin, provider.issuer);
    assert.match(url.searchParams.get('id_token_hint') ?? '', /^ey/);
    assert.equal(url.searchParams.get('post_logout_redirect_uri'), 'http://127.0.0.1:8080/.latchkey/');
    const answer = await fetch(url, { redirect: 'manual' });
    assert.equal(answer.status, 200);
  });

  test('shows a button for each provider behind the form', () => {
    assert.deepEqual(world.signIn.ways(), [
      { kind: 'password', source: null, label: null },
      { kind: 'redirect', source: 'sso', label: 'Example' },
      { kind: 'redirect', source: 'other', label: 'Example' },
    ]);
  });
});

describe('a provider', () => {
  test('that is away keeps nothing from starting, and is found once it is there', async () => {
    const port = await freePort();
    const config = oidcConfig({ issuer: `http://127.0.0.1:${port}`, clientSecret: 'late' });
    const source = clocked(config);
    await assert.rejects(source.begin(callback, false), isUnavailable);
    const provider = await startOidcProvider({ port, people: [ada], clientSecret: 'late' });
    try {
      const { url, pending } = await source.begin(callback, false);
      const verdict = await source.finish(await signInAtProvider(url, ada), pending);
      assert.equal(verdict.kind, 'known');
    } finally {
      await provider.stop();
      await source.close();
    }
  });

  test('that dies between beginning and return is told from a refusal', async () => {
    const provider = await startOidcProvider({ people: [ada] });
    const source = clocked(oidcConfig(provider));
    const { url, pending } = await source.begin(callback, false);
    const back = await signInAtProvider(url, ada);
    await provider.stop();
    await assert.rejects(source.finish(back, pending), isUnavailable);
    await source.close();
  });

  test('that refuses our secret is a fault of ours, not of the person', async () => {
    const provider = await startOidcProvider({ people: [ada] });
    const source = clocked(oidcConfig(provider, { clientSecret: 'not the secret' }));
    const { url, pending } = await source.begin(callback, false);
    const back = await signInAtProvider(url, ada);
    await assert.rejects(source.finish(back, pending), isUnavailable);
    await source.close();
    await provider.stop();
  });

  test('is spoken to over TLS only where its certificate is of the configured authority', async () => {
    const scratch = await makeScratch('oidc-tls');
    const ca = await makeCertificates(scratch);
    const [key, cert] = await Promise.all(
      ['server.key', 'server.pem'].map((name) => readFile(scratch.file(name), 'utf8')),
    );
    const provider = await startOidcProvider({ people: [ada], tls: { key: key ?? '', cert: cert ?? '' } });
    const trusting = clocked(oidcConfig(provider, { ca }));
    const wary = clocked(oidcConfig(provider));
    assert.match((await trusting.begin(callback, false)).url, /^https:/);
    await assert.rejects(wary.begin(callback, false), isUnavailable);
    await Promise.all([trusting.close(), wary.close(), provider.stop()]);
    await scratch.remove();
  });

  test('tells whether somebody still stands, where offline_access was granted', async () => {
    const provider = await startOidcProvider({ people: [ada, bea], clientSecret: null });
    const offline = { scopes: ['openid', 'profile', 'email', 'offline_access'], allowedGroups: ['staff'] };
    const source = clocked(oidcConfig(provider, { ...offline, adminGroups: ['admins'] }));
    const grantOf = async (who: ProviderPerson): Promise<string> => {
      const { url, pending } = await source.begin(callback, false);
      const verdict = await source.finish(await signInAtProvider(url, who), pending);
      assert.ok(verdict.kind === 'known' && verdict.identity.grant !== null);
      return verdict.identity.grant;
    };
    const grants = { ada: await grantOf(ada), bea: await grantOf(bea) };
    const ask = async (subject: 'ada' | 'bea'): Promise<Standing> => {
      const standing = await source.standing({ subject, grant: grants[subject] });
      if (standing.kind !== 'gone' && standing.grant !== undefined) grants[subject] = standing.grant;
      return standing;
    };
    assert.deepEqual(kindOf(await ask('ada')), ['stands', false]);
    assert.deepEqual(kindOf(await ask('bea')), ['stands', true]);
    await provider.change('bea', { groups: ['staff'] });
    assert.deepEqual(kindOf(await ask('bea')), ['stands', false]);
    await provider.change('bea', { groups: [] });
    assert.equal((await ask('bea')).kind, 'gone');
    await provider.change('ada', { disabled: true });
    assert.equal((await ask('ada')).kind, 'gone');
    await provider.stop();
    assert.equal((await ask('ada')).kind, 'unknown');
    assert.deepEqual(await source.standing({ subject: 'ada', grant: null }), { kind: 'unknown' });
    await source.close();
  });
});

function kindOf(standing: Standing): readonly unknown[] {
  return [standing.kind, standing.kind === 'stands' ? standing.isAdmin : null];
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Fault && error.code === 'sign_in_unavailable';
}

function auditOf(action: string) {
  return { at: 0, action, actor: 'test', userId: null, tokenId: null, details: {} };
}
