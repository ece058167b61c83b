import { refuse, settle, type TokenRefusal, type TokenSettings } from './token-settings.ts';
import type { TokenRecord } from './token-store.ts';

/** Whether delete-if-unused has ended the token, as far as uses are written. */
export function hasEndedUnused(token: TokenRecord, now: number): boolean {
  const touchedAt = token.lastUsedAt ?? token.createdAt;
  return token.deleteUnusedMs !== null && touchedAt + token.deleteUnusedMs <= now;
}

/**
 * The lifetime of a token that gets a new value: a sliding window starts anew, a fixed end stays unless
 * another is given. What has ended for good is refused.
 */
export function rotatedLifetime(
  token: TokenRecord,
  expiresAt: number | null | undefined,
  now: number,
): Pick<TokenRecord, 'expiresAt' | 'slidingMs' | 'until'> | TokenRefusal {
  if (hasEndedUnused(token, now)) {
    return refuse('expired', 'The token has ended for want of use: make a new one.');
  }
  const ended = endedLifetime(token, now);
  if (ended !== null && expiresAt === undefined) {
    return refuse('expired', `The token has passed its end: rotating it needs a new ${ended}.`);
  }
  const restarted = token.slidingMs === null ? {} : { slidingMs: token.slidingMs };
  const fields = settle(token, expiresAt === undefined ? restarted : { expiresAt, ...restarted }, '', now);
  if ('kind' in fields) return fields;
  return { expiresAt: fields.expiresAt, slidingMs: fields.slidingMs, until: fields.until };
}

/**
 * What a copy of this token starts from. An end that has passed is not copied, nor dropped: unless the
 * changes bring another, that is a refusal.
 */
export function copiedSettings(
  token: TokenRecord,
  changes: TokenSettings,
  now: number,
): TokenSettings | TokenRefusal {
  const { name, scopes, networks, slidingMs, deleteUnusedMs, notBefore, expiresAt, until } = token;
  const isReplaced = ['expiresAt', 'slidingMs', 'until'].some((field) => field in changes);
  const ended = endedLifetime(token, now);
  if (ended !== null && !isReplaced) {
    return refuse('expired', `The token to copy has passed its end: give the copy a new ${ended}.`);
  }
  const lifetime = slidingMs === null ? { expiresAt } : { slidingMs, until };
  const start = notBefore !== null && notBefore > now ? notBefore : null;
  return {
    ...{ name, scopes, networks, deleteUnusedMs, notBefore: start },
    ...(isReplaced ? {} : lifetime),
    ...changes,
  };
}

/** Which end has passed that does not move by itself, in words; null where none. */
function endedLifetime(token: TokenRecord, now: number): 'expiry' | 'absolute end' | null {
  if (token.slidingMs === null) return token.expiresAt !== null && token.expiresAt <= now ? 'expiry' : null;
  return token.until !== null && token.until <= now ? 'absolute end' : null;
}

/** A token's state in one word, for people. */
export type TokenState = 'active' | 'disabled' | 'expired' | 'not yet valid' | 'revoked' | 'user disabled';

/** The first reason for which the token would be refused now, as far as uses are written; else active. */
export function tokenState(token: TokenRecord, ownerDisabled: boolean, now: number): TokenState {
  if (token.revokedAt !== null) return 'revoked';
  if (!token.enabled) return 'disabled';
  if (ownerDisabled) return 'user disabled';
  if ((token.expiresAt !== null && token.expiresAt <= now) || hasEndedUnused(token, now)) return 'expired';
  return token.notBefore !== null && token.notBefore > now ? 'not yet valid' : 'active';
}
