import { parseCidr } from '../config/addresses.ts';
import { printable } from '../core/printable.ts';
import { expandScope, formatScope, parseScopes } from '../core/scope.ts';
import { holdsToken } from './mint.ts';
import type { TokenRecord } from './token-store.ts';

const nameCharsMax = 120;
const networksMax = 64;
/** Uses are written at most once a minute: a shorter window could close between two writes. */
const slidingMsMin = 5 * 60_000;
const deleteUnusedMsMin = 3_600_000;
/** Longer than any token lives (a century); keeps sums of times exact. */
const spanMsMax = 100 * 365 * 24 * 3_600_000;

/** What a person chooses about a token. Absent fields stay as they are; at birth they mean none. */
export interface TokenSettings {
  readonly name?: string;
  /** Texts; `{user}` is expanded for the owner. */
  readonly scopes?: readonly string[];
  /** Fixed end, epoch milliseconds; not together with `slidingMs`. */
  readonly expiresAt?: number | null;
  /** Ends this long after the last use. At least five minutes. */
  readonly slidingMs?: number | null;
  /** Absolute end of a sliding token. */
  readonly until?: number | null;
  readonly notBefore?: number | null;
  /** Addresses or CIDR blocks; empty: anywhere. */
  readonly networks?: readonly string[];
  /** At least an hour. */
  readonly deleteUnusedMs?: number | null;
}

/** An expected no: which rule, and a sentence that says what to do instead. */
export interface TokenRefusal {
  readonly kind: 'refused';
  readonly code:
    | 'bad_name'
    | 'bad_scope'
    | 'bad_expiry'
    | 'bad_not_before'
    | 'bad_network'
    | 'bad_delete_unused'
    | 'no_token'
    | 'revoked'
    | 'expired'
    | 'owner_gone'
    /** What everybody's tokens are held to forbids it. */
    | 'policy'
    /** It has changed since it was read (RFC 9110 section 13.1.1). */
    | 'stale';
  readonly detail: string;
}

/** Makes a refusal; the detail names the next step. */
export function refuse(code: TokenRefusal['code'], detail: string): TokenRefusal {
  return { kind: 'refused', code, detail };
}

/** The fields of a token that settings decide. */
export type SettledFields = Pick<
  TokenRecord,
  'name' | 'scopes' | 'expiresAt' | 'slidingMs' | 'until' | 'notBefore' | 'networks' | 'deleteUnusedMs'
>;

/** A token before anything was chosen. */
export const unsettled: SettledFields = {
  name: '',
  scopes: [],
  expiresAt: null,
  slidingMs: null,
  until: null,
  notBefore: null,
  networks: [],
  deleteUnusedMs: null,
};

/**
 * Checks the chosen settings and puts them over the current ones. Only what is chosen is checked:
 * an expired token can be renamed.
 */
export function settle(
  current: SettledFields,
  chosen: TokenSettings,
  ownerName: string,
  now: number,
): SettledFields | TokenRefusal {
  const scopes = chosen.scopes === undefined ? current.scopes : settleScopes(chosen.scopes, ownerName);
  if ('kind' in scopes) return scopes;
  const networks = chosen.networks === undefined ? current.networks : settleNetworks(chosen.networks);
  if ('kind' in networks) return networks;
  const lifetime = settleLifetime(current, chosen, now);
  if ('kind' in lifetime) return lifetime;
  const name = chosen.name ?? current.name;
  const refusal =
    (chosen.name === undefined ? null : checkName(chosen.name)) ??
    checkDeleteUnused(chosen.deleteUnusedMs ?? null) ??
    checkNotBefore(chosen.notBefore ?? null, lifetime, now);
  if (refusal !== null) return refusal;
  const { notBefore = current.notBefore, deleteUnusedMs = current.deleteUnusedMs } = chosen;
  return { name, scopes, networks, ...lifetime, notBefore, deleteUnusedMs };
}

function checkName(name: string): TokenRefusal | null {
  if (holdsToken(name)) {
    const why =
      'it would be kept in clear: choose a name such as "phone", and revoke that token if others saw it';
    return refuse('bad_name', `The name given is or holds the value of a token, and ${why}.`);
  }
  const { length } = Array.from(name);
  if (length >= 1 && length <= nameCharsMax && name.trim() !== '' && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name))
    return null;
  return refuse('bad_name', `A token's name has 1 to ${nameCharsMax} printable characters.`);
}

function settleScopes(texts: readonly string[], ownerName: string): readonly string[] | TokenRefusal {
  const scopes = parseScopes(texts);
  if ('kind' in scopes) return refuse('bad_scope', scopes.detail);
  const expanded: string[] = [];
  for (const scope of scopes) {
    const own = expandScope(scope, ownerName);
    if (own.kind === 'scope_problem') return refuse('bad_scope', own.detail);
    expanded.push(formatScope(own));
  }
  return [...new Set(expanded)];
}

function settleNetworks(texts: readonly string[]): readonly string[] | TokenRefusal {
  if (texts.length > networksMax) {
    return refuse('bad_network', `A token holds at most ${networksMax} networks: name larger blocks.`);
  }
  const blocks: string[] = [];
  for (const text of texts) {
    const block = parseCidr(text);
    if ('wrong' in block) return refuse('bad_network', `Network "${printable(text)}" ${block.wrong}.`);
    blocks.push(block.value);
  }
  return [...new Set(blocks)];
}

type Lifetime = Pick<TokenRecord, 'expiresAt' | 'slidingMs' | 'until'>;

function settleLifetime(current: Lifetime, chosen: TokenSettings, now: number): Lifetime | TokenRefusal {
  const { slidingMs = current.slidingMs, until = current.until } = chosen;
  const { expiresAt } = chosen;
  if (slidingMs === null) return settleFixed(current, chosen, now);
  if (expiresAt !== undefined && expiresAt !== null) {
    return refuse(
      'bad_expiry',
      'A sliding token takes its absolute end as "until" (--until on the command line), not as an expiry.',
    );
  }
  if (!(slidingMs >= slidingMsMin && slidingMs <= spanMsMax)) {
    return refuse('bad_expiry', 'A sliding window is at least five minutes and at most a century.');
  }
  if (chosen.until !== undefined && !isAhead(until, now)) {
    return refuse('bad_expiry', 'The absolute end must lie in the future, at most a century away.');
  }
  if (chosen.slidingMs === undefined && chosen.until === undefined) {
    return { expiresAt: current.expiresAt, slidingMs, until };
  }
  const window = chosen.slidingMs === undefined ? current.expiresAt : null;
  return {
    expiresAt: Math.min(window ?? now + slidingMs, until ?? Number.POSITIVE_INFINITY),
    slidingMs,
    until,
  };
}

function settleFixed(current: Lifetime, chosen: TokenSettings, now: number): Lifetime | TokenRefusal {
  if (chosen.until !== undefined && chosen.until !== null) {
    return refuse(
      'bad_expiry',
      'Only a sliding token has an absolute end beside its expiry: give an expiry alone.',
    );
  }
  if (chosen.expiresAt !== undefined && !isAhead(chosen.expiresAt, now)) {
    return refuse('bad_expiry', 'The expiry must lie in the future, at most a century away.');
  }
  const { expiresAt = current.expiresAt } = chosen;
  return { expiresAt, slidingMs: null, until: null };
}

function isAhead(moment: number | null, now: number): boolean {
  return moment === null || (moment > now && moment - now <= spanMsMax);
}

function checkNotBefore(notBefore: number | null, { expiresAt }: Lifetime, now: number): TokenRefusal | null {
  if (notBefore === null) return null;
  const isSane = Math.abs(notBefore - now) <= spanMsMax;
  if (isSane && (expiresAt === null || notBefore < expiresAt)) return null;
  return refuse('bad_not_before', 'The token would expire before it becomes valid: choose an earlier start.');
}

function checkDeleteUnused(deleteUnusedMs: number | null): TokenRefusal | null {
  if (deleteUnusedMs === null) return null;
  if (deleteUnusedMs >= deleteUnusedMsMin && deleteUnusedMs <= spanMsMax) return null;
  return refuse('bad_delete_unused', 'Deleting when unused waits at least an hour.');
}
