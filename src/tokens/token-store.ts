import type { PepperId, Realm, TokenDigest, TokenId, UserId } from '../core/ids.ts';
import type { Page } from '../core/page.ts';
import type { AuditEvent } from '../telemetry/audit.ts';

/** A token as the store keeps it. Times are epoch milliseconds; the value itself is never here. */
export interface TokenRecord {
  readonly id: TokenId;
  readonly userId: UserId;
  readonly name: string;
  readonly digest: TokenDigest;
  readonly pepperId: PepperId;
  /** The first characters, for people to recognise it: `lk_` and four more. */
  readonly prefix: string;
  /** Scopes in their text form, `{user}` already expanded. */
  readonly scopes: readonly string[];
  readonly createdAt: number;
  /** Who made it (`cli:root`, later a user), and from which address if over the network. */
  readonly createdBy: string;
  readonly createdFrom: string | null;
  /** Refused from this moment on; null never. Moves with use where `slidingMs` is set. */
  readonly expiresAt: number | null;
  /** Every use moves `expiresAt` to this long after it, never past `until`. */
  readonly slidingMs: number | null;
  /** Absolute end of a sliding token. */
  readonly until: number | null;
  readonly notBefore: number | null;
  readonly enabled: boolean;
  /** CIDR blocks from which it may be used; empty: anywhere. */
  readonly networks: readonly string[];
  /** Unused for this long, it stops counting and is revoked by the sweep. */
  readonly deleteUnusedMs: number | null;
  readonly revokedAt: number | null;
  readonly revokedBy: string | null;
  readonly revokedWhy: string | null;
  readonly lastUsedAt: number | null;
  readonly lastUsedAddress: string | null;
  readonly lastUsedClient: string | null;
  /** Grows with every change but last use, sliding and re-digest. Starts at 1. */
  readonly version: number;
}

/** A token with what verification needs of its owner. */
export interface OwnedToken {
  readonly token: TokenRecord;
  readonly owner: {
    readonly id: UserId;
    readonly name: string;
    /** Shut out by an admin or its source, or removed. */
    readonly disabled: boolean;
    readonly version: number;
  };
}

/** The fields an operation may change; everything else is fixed at birth. */
export type TokenPatch = Partial<
  Pick<
    TokenRecord,
    | 'name'
    | 'digest'
    | 'pepperId'
    | 'prefix'
    | 'scopes'
    | 'expiresAt'
    | 'slidingMs'
    | 'until'
    | 'notBefore'
    | 'enabled'
    | 'networks'
    | 'deleteUnusedMs'
    | 'revokedAt'
    | 'revokedBy'
    | 'revokedWhy'
  >
>;

/** One use to be written behind. */
export interface TokenUse {
  readonly tokenId: TokenId;
  readonly at: number;
  readonly address: string;
  readonly client: string | null;
}

/** Which tokens to list, newest first. */
export interface TokenFilter {
  readonly userId?: UserId;
  /** Only tokens neither used nor created since this moment, and not revoked. */
  readonly unusedSince?: number;
  /** Only unrevoked tokens that delete-if-unused has ended by this moment. */
  readonly endedUnusedAt?: number;
  /** Revoked ones too; default false. */
  readonly includeRevoked?: boolean;
  /** At most this many; default 1,000. */
  readonly limit?: number;
  /** Continue after this id. */
  readonly after?: TokenId;
}

/** By what a list of tokens for people is ordered; 'used' has the never used last, 'expires' the endless last. */
export type TokenOrder = 'created' | 'name' | 'used' | 'expires';

/** Which tokens to show to people. */
export interface TokenQuery {
  readonly userId?: UserId;
  /** Part of the name or of the client last seen, in any case; or the beginning of the displayed prefix. */
  readonly text?: string;
  /** Default: all but revoked ones. 'off' means switched off by hand. */
  readonly state?: 'active' | 'off' | 'expired' | 'revoked';
  readonly order: TokenOrder;
  readonly descending: boolean;
  readonly limit: number;
  /** `next` of the page before, which must have had the same order. */
  readonly after?: string;
}

/** Which audit events to show, newest first. */
export interface AuditQuery {
  readonly tokenId?: TokenId;
  readonly userId?: UserId;
  /** Exact action, or all of a kind by its beginning with a dot: `token.` */
  readonly action?: string;
  readonly actor?: string;
  /** Events from this moment on, and before that one. */
  readonly from?: number;
  readonly before?: number;
  readonly limit: number;
  readonly after?: string;
}

/**
 * The truth about tokens. Every method throws `Fault('store_unavailable')` where the store cannot
 * be asked; changes are durable when the promise resolves.
 */
export interface TokenStore {
  /** The identity of this store; made once with it. */
  readonly realm: Realm;
  /** The token with any of these digests (one per pepper), or null. */
  findByDigests(digests: readonly TokenDigest[]): Promise<OwnedToken | null>;
  get(id: TokenId): Promise<OwnedToken | null>;
  list(filter: TokenFilter): Promise<readonly OwnedToken[]>;
  /** For pages and API: one page, with a total where `userId` is given. */
  search(query: TokenQuery, now: number): Promise<Page<OwnedToken>>;
  /** Adds a token and its audit event in one transaction. */
  insert(token: TokenRecord, event: AuditEvent): Promise<void>;
  /**
   * Reads the tokens, asks `edit` for a patch of each, applies it with version + 1, journal entry and audit
   * event, all in one transaction. `edit` returning null leaves a token as it is; it may be asked again where
   * the transaction had to wait, and must not have effects.
   * Resolves to each token that exists before and after (the same where nothing changed), in the given order.
   */
  change(
    ids: readonly TokenId[],
    edit: (token: TokenRecord) => { readonly patch: TokenPatch; readonly event: AuditEvent } | null,
  ): Promise<readonly { readonly before: TokenRecord; readonly after: TokenRecord }[]>;
  /**
   * Writes last uses and moves sliding ends, only for tokens that have not expired at `now`.
   * One transaction; no journal entry.
   */
  recordUses(uses: readonly TokenUse[], now: number): Promise<void>;
  /** Replaces the digest by one under a newer pepper, if it is still `from`. No version change. */
  redigest(id: TokenId, from: TokenDigest, to: TokenDigest, pepperId: PepperId): Promise<void>;
  /** The peppers that unrevoked tokens need. */
  pepperIdsInUse(): Promise<readonly PepperId[]>;
  /** Counts for the metrics: active, disabled, expired, revoked. */
  countByState(now: number): Promise<Readonly<Record<'active' | 'disabled' | 'expired' | 'revoked', number>>>;
  /** Audit events, newest first. */
  audit(filter: {
    readonly tokenId?: TokenId;
    readonly userId?: UserId;
    readonly limit: number;
  }): Promise<readonly AuditEvent[]>;
  /** For pages and API: one page, without a total. */
  searchAudit(query: AuditQuery): Promise<Page<AuditEvent>>;
  /** Forgets at most `limit` audit events from before this moment, oldest first. Resolves to how many. */
  pruneAudit(before: number, limit: number): Promise<number>;
}
