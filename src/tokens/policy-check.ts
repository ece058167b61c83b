import { printable } from '../core/printable.ts';
import { expandScope, formatScope, parseScope, parseScopes, type Scope } from '../core/scope.ts';
import { isScopeWithin } from '../core/scope-within.ts';
import type { OwnerPolicy, TokenPolicy } from './policy.ts';
import { refuse, type SettledFields, type TokenRefusal } from './token-settings.ts';
import type { TokenRecord } from './token-store.ts';

/** Whoever reckons an end with a clock of its own may be so far ahead of ours. */
const skewMs = 60_000;
const [hourMs, dayMs] = [3_600_000, 86_400_000];
/** A century: no token lives longer. */
const spanMsMax = 100 * 365 * dayMs;

type Lifetime = Pick<SettledFields, 'expiresAt' | 'slidingMs' | 'until'>;

/**
 * Why the policy forbids these fields, or null. `current` null: a token to be made, of which everything counts; else
 * only what differs from `current` does.
 */
export function policyRefusal(
  policy: TokenPolicy,
  current: SettledFields | null,
  next: SettledFields,
  ownerName: string,
  now: number,
): TokenRefusal | null {
  const isChanged = (...fields: readonly (keyof SettledFields)[]): boolean =>
    current === null ||
    fields.some((field) => JSON.stringify(current[field]) !== JSON.stringify(next[field]));
  return (
    (isChanged('scopes') ? scopeRefusal(policy, next.scopes, ownerName) : null) ??
    (isChanged('expiresAt', 'slidingMs', 'until') ? lifeRefusal(policy, next, now) : null)
  );
}

/** Whether a token may be made with these fields; no policy binds nothing. */
export function birthRefusal(
  policy: OwnerPolicy | undefined,
  fields: SettledFields,
  ownerName: string,
  now: number,
): TokenRefusal | null {
  if (policy === undefined) return null;
  return enablingRefusal(policy) ?? policyRefusal(policy, null, fields, ownerName, now);
}

/**
 * Whether a token may become this. Who may not have tokens may rename and narrow those there are. One that is to live
 * longer is held to everything, and from its birth on: else an edit now and then would outlast every longest life.
 */
export function editRefusal(
  policy: OwnerPolicy | undefined,
  current: SettledFields & Pick<TokenRecord, 'createdAt'>,
  next: SettledFields,
  ownerName: string,
  now: number,
): TokenRefusal | null {
  if (policy === undefined) return null;
  const refusal = isWider(current, next) ? enablingRefusal(policy) : null;
  if (refusal !== null) return refusal;
  const livesLonger = endOf(next) > endOf(current);
  return (
    policyRefusal(policy, livesLonger ? null : current, next, ownerName, now) ??
    (livesLonger ? longerLifeRefusal(policy, next, current.createdAt) : null)
  );
}

/** Whether a token may get a new value: with it its life begins anew, so everything counts, also where it stays as it is. */
export function rotationRefusal(
  policy: OwnerPolicy | undefined,
  next: SettledFields,
  ownerName: string,
  now: number,
): TokenRefusal | null {
  return birthRefusal(policy, next, ownerName, now);
}

/** Whether tokens of this owner may be made to work. */
export function enablingRefusal(policy: OwnerPolicy | undefined): TokenRefusal | null {
  if (policy === undefined || policy.mayHaveTokens) return null;
  return refuse('policy', 'This user may not have tokens: an administrator can allow it.');
}

/** A policy in the one form that is kept, or a sentence that says what is wrong with it. */
export function checkPolicy(policy: TokenPolicy): TokenPolicy | string {
  const { lifeMsMax, scopes } = policy;
  if (
    lifeMsMax !== null &&
    !(Number.isSafeInteger(lifeMsMax) && lifeMsMax >= hourMs && lifeMsMax <= spanMsMax)
  ) {
    return 'The longest life of tokens is at least an hour and at most a century.';
  }
  if (scopes === null) return policy;
  if (scopes.length === 0) return 'Name at least one scope that tokens may have, or allow any.';
  const parsed = parseScopes(scopes);
  return 'kind' in parsed ? parsed.detail : { ...policy, scopes: [...new Set(parsed.map(formatScope))] };
}

/** A life from `now` on to the end for good. */
function lifeRefusal(policy: TokenPolicy, lifetime: Lifetime, now: number): TokenRefusal | null {
  const { lifeMsMax } = policy;
  if (lifeMsMax !== null) {
    if (endOf(lifetime) - now <= lifeMsMax + skewMs) return null;
    const which = lifetime.slidingMs === null ? 'an expiry' : 'an absolute end';
    const span = lifeMsMax >= 2 * dayMs ? `${lifeMsMax / dayMs} days` : `${lifeMsMax / hourMs} hours`;
    return refuse('policy', `Tokens may live for at most ${span} here: give the token ${which} within that.`);
  }
  // Without a maximum, a window that closes by itself is end enough.
  if (!policy.expiryRequired || lifetime.expiresAt !== null) return null;
  return refuse('policy', 'Tokens need an expiry here: give the token one.');
}

function longerLifeRefusal(
  { lifeMsMax }: TokenPolicy,
  next: Lifetime,
  createdAt: number,
): TokenRefusal | null {
  if (lifeMsMax === null || endOf(next) - createdAt <= lifeMsMax + skewMs) return null;
  return refuse(
    'policy',
    'The token would live longer than tokens may here, counted from when it was made: regenerate it for a new life.',
  );
}

function scopeRefusal(policy: TokenPolicy, texts: readonly string[], ownerName: string): TokenRefusal | null {
  if (policy.scopes === null) return null;
  const allowed = policy.scopes.flatMap((text) => readAllowed(text, ownerName));
  const outside = texts.find((text) => {
    const scope = parseScope(text);
    return scope.kind === 'scope_problem' || !allowed.some((one) => isScopeWithin(scope, one));
  });
  if (outside === undefined) return null;
  const within = allowed.length === 0 ? 'none is' : `choose within ${allowed.map(formatScope).join(' or ')}`;
  return refuse('policy', `The scope ${printable(outside)} is not allowed here; ${printable(within)}.`);
}

/** What cannot be read, or not for this owner, allows nothing. */
function readAllowed(text: string, ownerName: string): readonly Scope[] {
  const scope = parseScope(text);
  const own = scope.kind === 'scope_problem' ? scope : expandScope(scope, ownerName);
  return own.kind === 'scope_problem' ? [] : [own];
}

/** Whether the token could do more, from more places, or for longer than before. */
function isWider(current: SettledFields, next: SettledFields): boolean {
  const known = readScopes(current.scopes);
  return (
    endOf(next) > endOf(current) ||
    (next.expiresAt ?? never) > (current.expiresAt ?? never) ||
    (next.slidingMs ?? 0) > (current.slidingMs ?? 0) ||
    (next.deleteUnusedMs ?? never) > (current.deleteUnusedMs ?? never) ||
    (next.notBefore ?? 0) < (current.notBefore ?? 0) ||
    !isNetworkWithin(next.networks, current.networks) ||
    !readScopes(next.scopes).every((scope) => known.some((one) => isScopeWithin(scope, one)))
  );
}

const never = Number.POSITIVE_INFINITY;

/** The end for good: a sliding window alone has none. */
function endOf({ expiresAt, slidingMs, until }: Lifetime): number {
  return (slidingMs === null ? expiresAt : until) ?? never;
}

function isNetworkWithin(next: readonly string[], current: readonly string[]): boolean {
  return current.length === 0 || (next.length > 0 && next.every((block) => current.includes(block)));
}

function readScopes(texts: readonly string[]): readonly Scope[] {
  return texts.map(parseScope).filter((scope) => scope.kind !== 'scope_problem');
}
