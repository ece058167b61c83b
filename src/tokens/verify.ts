import { hash } from 'node:crypto';
import { isIP } from 'node:net';
import { type Clock, readClocks } from '../core/clock.ts';
import type { Realm, TokenDigest } from '../core/ids.ts';
import { foldUserName } from '../core/user-name.ts';
import { type CachedToken, createTokenCompiler, fixedEndOf, type TokenFact, toFact } from './cached-token.ts';
import { lengthPrefixed, type Peppers } from './digest.ts';
import type { Freshness } from './freshness.ts';
import type { Answer } from './l1-cache.ts';
import type { LastUse } from './last-use.ts';
import { isTokenShaped, isWellFormed } from './mint.ts';
import type { SharedCache } from './shared-cache.ts';
import { createTiers, type Question, type TierLimits } from './tiers.ts';
import type { TokenStore } from './token-store.ts';
import type {
  Credential,
  RefusalReason,
  Tier,
  Verification,
  VerificationContext,
  Verifier,
} from './verification.ts';
import type { PasswordVerifier } from './verify-password.ts';

const tokenLimits: TierLimits = {
  l1EntriesMax: 100_000,
  l1Ms: 60_000,
  sharedMs: 600_000,
  negativeMs: 5_000,
};

interface VerifierDeps {
  readonly clock: Clock;
  readonly store: Pick<TokenStore, 'realm' | 'findByDigests'>;
  readonly shared: SharedCache | null;
  readonly peppers: Peppers;
  readonly freshness: Freshness;
  readonly lastUse: Pick<LastUse, 'note' | 'redigest'>;
  /** Checks secrets that are no tokens, on routes that allow the user's own password. */
  readonly passwords: PasswordVerifier;
}

/** Where processes leave for one another what they know of a token. */
export function sharedTokenKey(realm: Realm, digest: TokenDigest): string {
  return lengthPrefixed(['1', realm, 'token', digest]);
}

/**
 * The verifier: form, then memory, then the shared cache, then the store. What was cached is the token's
 * state; whether it suffices for this request at this moment is judged every time.
 */
export function createVerifier(deps: VerifierDeps): Verifier {
  const { clock, store, peppers } = deps;
  const tiers = createTiers<TokenFact, CachedToken>({
    ...deps,
    limits: tokenLimits,
    compile: createTokenCompiler(),
    endOf: fixedEndOf,
  });

  async function read(secret: string): Promise<TokenFact | null> {
    const owned = await store.findByDigests(peppers.digests(secret));
    if (owned === null) return null;
    const { id: tokenId, digest, pepperId } = owned.token;
    if (pepperId !== peppers.current) {
      const order = { tokenId, from: digest, to: peppers.digest(secret), pepperId: peppers.current };
      deps.lastUse.redigest(order);
    }
    return toFact(owned);
  }

  const question = (secret: string): Question<TokenFact> => ({
    sharedKeys: () => peppers.digests(secret).map((digest) => sharedTokenKey(store.realm, digest)),
    read: () => read(secret),
    sharedKeyOf: (fact) => sharedTokenKey(store.realm, fact?.digest ?? peppers.digest(secret)),
  });

  /** Turns a judgement into the answer and notes the use; null where the store must be asked first. */
  function conclude(
    { value, readAt }: Answer<CachedToken>,
    tier: Tier,
    credential: Credential,
    context: VerificationContext,
    now: number,
  ): Verification | null {
    if (value === null) return { kind: 'refused', reason: 'unknown', tier };
    const refusal = judge(value, readAt, credential, context.clientAddress, now);
    if (refusal === 'perhaps_expired') return null;
    if (refusal !== null) return { kind: 'refused', reason: refusal, tier };
    deps.lastUse.note(value.tokenId, now, context.clientAddress, context.client, value.movingEnd);
    return { kind: 'verified', principal: value.principal, tier };
  }

  async function askFurther(
    key: string,
    credential: Credential,
    context: VerificationContext,
    storeOnly: boolean,
  ): Promise<Verification> {
    const { answer, tier } = await tiers.ask(key, question(credential.secret), storeOnly);
    const concluded = conclude(answer, tier, credential, context, clock.now());
    if (concluded !== null) return concluded;
    // Asked the store just now and it still looks expired: the end fell between reading and judging.
    if (tier === 'store') return { kind: 'refused', reason: 'expired', tier };
    return askFurther(key, credential, context, true);
  }

  return {
    verify(credential, context) {
      const { secret } = credential;
      if (!isTokenShaped(secret)) return verifyOther(credential, context, deps.passwords);
      // A plain hash suffices as a name in our own memory: the secret is random, and this costs a tenth of an HMAC.
      const key = hash('sha256', secret, 'binary');
      const at = readClocks(clock);
      const known = tiers.peek(key, at);
      if (known === null) {
        // Memory holds only what was well formed: the checksum need not be computed again at every hit.
        if (!isWellFormed(secret)) return malformed;
        return askFurther(key, credential, context, false);
      }
      return (
        conclude(known, 'l1', credential, context, at.wall) ?? askFurther(key, credential, context, true)
      );
    },
  };
}

const malformed: Verification = { kind: 'refused', reason: 'malformed', tier: 'none' };

/** What is no token may be the user's own password, where the route allows that. */
function verifyOther(
  credential: Credential,
  context: VerificationContext,
  passwords: PasswordVerifier,
): Verification | Promise<Verification> {
  if (credential.channel !== 'basic') return malformed;
  if (!context.mainPassword) return { kind: 'refused', reason: 'password_refused', tier: 'none' };
  return passwords.verify(credential.user, credential.secret, context.clientAddress);
}

/**
 * Whether the token's state allows its use now, by this name, from there. Null: yes. 'perhaps_expired': its end may
 * have been moved by a use since it was read, and the store has to say.
 */
function judge(
  token: CachedToken,
  readAt: number,
  credential: Credential,
  clientAddress: string,
  now: number,
): RefusalReason | 'perhaps_expired' | null {
  if (token.refusal !== null) return token.refusal;
  if (token.notBefore !== null && now < token.notBefore) return 'not_yet_valid';
  if (token.fixedEnd !== null && now >= token.fixedEnd) return 'expired';
  if (token.movingEnd !== null && now >= token.movingEnd) {
    // Expired tokens never revive through use: once read as expired, that is final.
    return readAt >= token.movingEnd ? 'expired' : 'perhaps_expired';
  }
  if (credential.channel === 'basic' && !isOwner(credential.user, token)) return 'wrong_user';
  if (token.networks !== null && !isWithin(token.networks, clientAddress)) return 'network';
  return null;
}

/** The user name beside a token is its owner's, in any spelling, or the owner's id. */
function isOwner(user: string, { principal }: CachedToken): boolean {
  if (user === principal.userName) return true;
  if (user.toLowerCase() === principal.userId) return true;
  return foldUserName(user) === foldUserName(principal.userName);
}

function isWithin(networks: NonNullable<CachedToken['networks']>, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && networks.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
