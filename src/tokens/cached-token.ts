import { BlockList, isIP } from 'node:net';
import { parseCidr } from '../config/addresses.ts';
import type { PepperId, TokenDigest, TokenId, UserId } from '../core/ids.ts';
import type { Principal } from '../core/principal.ts';
import { parseScope, type Scope } from '../core/scope.ts';
import type { Subject } from './freshness.ts';
import type { OwnedToken } from './token-store.ts';

/** What verification needs of a token and its owner, as plain JSON data. */
export interface TokenFact {
  readonly id: TokenId;
  readonly version: number;
  readonly digest: TokenDigest;
  readonly pepperId: PepperId;
  readonly scopes: readonly string[];
  readonly expiresAt: number | null;
  readonly slidingMs: number | null;
  readonly notBefore: number | null;
  readonly enabled: boolean;
  readonly revoked: boolean;
  readonly networks: readonly string[];
  readonly deleteUnusedMs: number | null;
  /** Last use as far as written, else creation. */
  readonly touchedAt: number;
  readonly ownerId: UserId;
  readonly ownerName: string;
  readonly ownerDisabled: boolean;
  readonly ownerVersion: number;
}

/** The same, prepared for judging a request in a microsecond. */
export interface CachedToken extends Subject {
  readonly tokenId: TokenId;
  readonly principal: Principal;
  /** Set where the token is refused whatever the request: revoked before disabled before owner disabled. */
  readonly refusal: 'revoked' | 'disabled' | 'user_disabled' | null;
  readonly notBefore: number | null;
  /** End that no use moves. */
  readonly fixedEnd: number | null;
  /** End that use moves (sliding expiry, delete-if-unused), as far as uses are written: another process may know a later one. */
  readonly movingEnd: number | null;
  readonly networks: BlockList | null;
}

/** Picks what verification needs. */
export function toFact({ token, owner }: OwnedToken): TokenFact {
  return {
    id: token.id,
    version: token.version,
    digest: token.digest,
    pepperId: token.pepperId,
    scopes: token.scopes,
    expiresAt: token.expiresAt,
    slidingMs: token.slidingMs,
    notBefore: token.notBefore,
    enabled: token.enabled,
    revoked: token.revokedAt !== null,
    networks: token.networks,
    deleteUnusedMs: token.deleteUnusedMs,
    touchedAt: token.lastUsedAt ?? token.createdAt,
    ownerId: owner.id,
    ownerName: owner.name,
    ownerDisabled: owner.disabled,
    ownerVersion: owner.version,
  };
}

const everything: readonly Scope[] = Object.freeze([{ kind: 'everything' }]);

/** Prepares a fact for judging. A stored scope that this version does not understand allows nothing. */
export function compileToken(fact: TokenFact): CachedToken {
  return {
    tokenId: fact.id,
    tokenVersion: fact.version,
    userId: fact.ownerId,
    userVersion: fact.ownerVersion,
    principal: Object.freeze({
      userId: fact.ownerId,
      userName: fact.ownerName,
      tokenId: fact.id,
      scopes: readScopes(fact.scopes),
    }),
    refusal: refusalOf(fact),
    notBefore: fact.notBefore,
    fixedEnd: fixedEndOf(fact),
    movingEnd: movingEndOf(fact),
    networks: fact.networks.length === 0 ? null : compileNetworks(fact.networks),
  };
}

/** The end that no use moves; null for none. */
export function fixedEndOf(fact: TokenFact): number | null {
  return fact.slidingMs === null ? fact.expiresAt : null;
}

function movingEndOf(fact: TokenFact): number | null {
  const slidingEnd = fact.slidingMs === null ? null : fact.expiresAt;
  const unusedEnd = fact.deleteUnusedMs === null ? null : fact.touchedAt + fact.deleteUnusedMs;
  if (slidingEnd === null || unusedEnd === null) return slidingEnd ?? unusedEnd;
  return Math.min(slidingEnd, unusedEnd);
}

function refusalOf(fact: TokenFact): CachedToken['refusal'] {
  if (fact.revoked) return 'revoked';
  if (!fact.enabled) return 'disabled';
  return fact.ownerDisabled ? 'user_disabled' : null;
}

function readScopes(texts: readonly string[]): readonly Scope[] {
  // By far the commonest set is shared between all its tokens.
  if (texts.length === 1 && texts[0] === '*') return everything;
  const scopes = texts.map(parseScope).filter((scope) => scope.kind !== 'scope_problem');
  // Copied to its exact length: these arrays are kept by the hundred thousand.
  return Object.freeze(scopes.slice());
}

/** What is no block matches nothing. */
function compileNetworks(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const parsed = parseCidr(network);
    if ('wrong' in parsed) continue;
    const [address = '', prefix] = parsed.value.split('/');
    list.addSubnet(address, Number(prefix), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
