import { BlockList, isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import { parseCidr } from '../config/addresses.ts';
import type { PepperId, TokenDigest, TokenId, UserId } from '../core/ids.ts';
import type { Principal } from '../core/principal.ts';
import { parseScope, type Scope } from '../core/scope.ts';
import { lengthPrefixed } from './digest.ts';
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

/** Owners, and sets of scopes, that tokens share with others: by far most have one of a few thousand. */
const sharedMax = 10_000;
/** Longer sets of scopes are kept with their token alone. */
const sharedCharsMax = 256;

/** Whom tokens belong to. */
type Owner = Pick<Principal, 'userId' | 'userName'>;

/**
 * Makes what prepares facts for judging. A stored scope that this version does not understand allows nothing.
 * Cached tokens are kept by the hundred thousand: those of one owner share the owner's texts, those with the
 * same scopes one reading of them.
 */
export function createTokenCompiler(): (fact: TokenFact) => CachedToken {
  const owners = new LRUCache<UserId, Owner>({ max: sharedMax });
  const scopeSets = new LRUCache<string, readonly Scope[]>({ max: sharedMax });

  function ownerOf({ ownerId, ownerName }: TokenFact): Owner {
    const known = owners.get(ownerId);
    if (known !== undefined && known.userName === ownerName) return known;
    const owner = { userId: ownerId, userName: ownerName };
    owners.set(ownerId, owner);
    return owner;
  }

  function scopesOf({ scopes }: TokenFact): readonly Scope[] {
    const text = lengthPrefixed(scopes);
    const known = scopeSets.get(text);
    if (known !== undefined) return known;
    const read = readScopes(scopes);
    if (text.length <= sharedCharsMax) scopeSets.set(text, read);
    return read;
  }

  return (fact) => {
    const { userId, userName } = ownerOf(fact);
    return {
      tokenId: fact.id,
      tokenVersion: fact.version,
      userId,
      userVersion: fact.ownerVersion,
      principal: Object.freeze({ userId, userName, tokenId: fact.id, scopes: scopesOf(fact) }),
      refusal: refusalOf(fact),
      notBefore: fact.notBefore,
      fixedEnd: fixedEndOf(fact),
      movingEnd: movingEndOf(fact),
      networks: fact.networks.length === 0 ? null : compileNetworks(fact.networks),
    };
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
  const scopes = texts.map(parseScope).filter((scope) => scope.kind !== 'scope_problem');
  // Copied to its exact length.
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
