import * as client from 'openid-client';
import type { OidcConfig } from '../../config/sign-in-config.ts';
import type { Clock } from '../../core/clock.ts';
import type { RedirectSource, SourceVerdict, Standing } from '../source.ts';
import { type Claims, groupsDecide, judgeClaims, lacksClaims, textAt } from './oidc-claims.ts';
import { createProvider } from './oidc-provider.ts';

/** Their clock and ours may differ by this much. */
const skewMs = 30_000;
/** Only with this scope does a grant outlive the person's session at the provider (OpenID Connect Core section 11). */
const offlineScope = 'offline_access';

/** What goes with the browser, sealed, until it is back. */
interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly callbackUrl: string;
  readonly fresh: boolean;
  readonly begunAt: number;
}

interface OidcDeps {
  readonly config: OidcConfig;
  readonly clock: Clock;
}

/**
 * Users of an OpenID Connect provider: authorization code with PKCE (RFC 7636), state, nonce, issuer of the answer
 * (RFC 9207), signed ID token. Whether they still stand is asked with a refresh token, which is kept only where
 * `offline_access` is among the scopes.
 */
export function createOidcSource({ config, clock }: OidcDeps): RedirectSource {
  const provider = createProvider(config, clock);
  const keepsGrant = config.scopes.includes(offlineScope);

  /** The ID token says who it is; what it leaves out, UserInfo may know. */
  async function claimsOf(known: client.Configuration, tokens: Tokens): Promise<Claims | null> {
    const claims = tokens.claims();
    if (claims === undefined) return null;
    const hasUserInfo = known.serverMetadata().userinfo_endpoint !== undefined;
    if (!hasUserInfo || !lacksClaims(config, claims)) return claims;
    return { ...(await client.fetchUserInfo(known, tokens.access_token, claims.sub)), ...claims };
  }

  async function redeem(known: client.Configuration, url: URL, pending: Pending): Promise<SourceVerdict> {
    const tokens = await client.authorizationCodeGrant(known, url, {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.verifier,
      idTokenExpected: true,
    });
    const claims = await claimsOf(known, tokens);
    if (claims === null) return refused('no ID token');
    if (pending.fresh && !isFresh(claims['auth_time'], pending)) return refused('not asked anew');
    return judge(claims, tokens);
  }

  function judge(claims: Claims, tokens: Tokens): SourceVerdict {
    const subject = textAt(claims, 'sub');
    const userName = config.userName === 'uuid' ? null : textAt(claims, config.userName);
    if (subject === null) return refused('no subject');
    if (config.userName !== 'uuid' && userName === null) return refused(`no claim ${config.userName}`);
    const { isAllowed, isAdmin } = judgeClaims(config, claims);
    if (!isAllowed) return refused('in none of the groups that may sign in');
    return {
      kind: 'known',
      identity: {
        ...{ subject, userName, isAdmin },
        displayName: textAt(claims, 'name'),
        email: textAt(claims, 'email'),
        grant: keepsGrant ? (tokens.refresh_token ?? null) : null,
        signOut: tokens.id_token ?? null,
      },
    };
  }

  async function standing(subject: string, grant: string): Promise<Standing> {
    const known = await provider.known();
    const tokens = await client.refreshTokenGrant(known, grant);
    const renewed = tokens.refresh_token === undefined ? {} : { grant: tokens.refresh_token };
    if (!groupsDecide(config)) return { kind: 'stands', ...renewed };
    let claims: Claims | null;
    try {
      claims = await latestClaims(known, tokens, subject);
    } catch {
      // The former grant is used up: whoever forgets the new one can never ask again.
      return { kind: 'unknown', ...renewed };
    }
    // Nothing new was said of the groups.
    if (claims === null) return { kind: 'stands', ...renewed };
    const { isAllowed, isAdmin } = judgeClaims(config, claims);
    return isAllowed ? { kind: 'stands', isAdmin, ...renewed } : { kind: 'gone' };
  }

  return {
    kind: 'oidc',
    name: config.name,
    label: config.label,
    async begin(callbackUrl, fresh) {
      const known = await provider.known();
      const pending: Pending = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
        ...{ callbackUrl, fresh, begunAt: clock.now() },
      };
      const url = client.buildAuthorizationUrl(known, {
        ...{ redirect_uri: callbackUrl, response_type: 'code' },
        ...{ state: pending.state, nonce: pending.nonce, code_challenge_method: 'S256' },
        code_challenge: await client.calculatePKCECodeChallenge(pending.verifier),
        ...(fresh ? anew(config.scopes) : forSignIn(config.scopes)),
      });
      return { url: url.href, pending: JSON.stringify(pending) };
    },
    async finish(currentUrl, text) {
      const pending = JSON.parse(text) as Pending;
      const url = new URL(currentUrl);
      if (`${url.origin}${url.pathname}` !== pending.callbackUrl) return refused('back at another address');
      const known = await provider.known();
      try {
        return await redeem(known, url, pending);
      } catch (error) {
        return refused(provider.refusalOf(error));
      }
    },
    async signOutUrl(signOut, returnUrl) {
      const known = await provider.known();
      if (known.serverMetadata().end_session_endpoint === undefined) return null;
      const hint = signOut === null ? {} : { id_token_hint: signOut };
      return client.buildEndSessionUrl(known, { ...hint, post_logout_redirect_uri: returnUrl }).href;
    },
    async standing({ subject, grant }) {
      if (grant === null) return { kind: 'unknown' };
      try {
        return await standing(subject, grant);
      } catch (error) {
        const isRefused = error instanceof client.ResponseBodyError && error.error === 'invalid_grant';
        return { kind: isRefused ? 'gone' : 'unknown' };
      }
    },
    close: async () => provider.close(),
  };
}

/** A grant that outlives the session has to be consented to (OpenID Connect Core section 11). */
function forSignIn(scopes: readonly string[]): Readonly<Record<string, string>> {
  return { scope: scopes.join(' '), ...(scopes.includes(offlineScope) ? { prompt: 'consent' } : {}) };
}

/** The person is asked again, and no new grant is wanted. */
function anew(scopes: readonly string[]): Readonly<Record<string, string>> {
  const scope = scopes.filter((each) => each !== offlineScope).join(' ');
  return { scope, prompt: 'login', max_age: '0' };
}

type Tokens = Awaited<ReturnType<typeof client.refreshTokenGrant>>;

/** Of whom it already is: UserInfo where there is one, else a new ID token; null where neither says anything. */
async function latestClaims(
  known: client.Configuration,
  tokens: Tokens,
  subject: string,
): Promise<Claims | null> {
  const claims = tokens.claims();
  // Another person's answer says nothing of this one.
  const own = claims?.sub === subject ? claims : null;
  if (known.serverMetadata().userinfo_endpoint === undefined) return own;
  return { ...(await client.fetchUserInfo(known, tokens.access_token, subject)), ...own };
}

/** Whether the person proved to be there after we asked (OpenID Connect Core section 3.1.2.1). */
function isFresh(authTime: unknown, { begunAt }: Pending): boolean {
  return typeof authTime === 'number' && authTime * 1_000 >= begunAt - skewMs;
}

function refused(reason: string): SourceVerdict {
  return { kind: 'refused', reason, wasChecked: false };
}
