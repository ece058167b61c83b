import type { TokenId, UserId } from '../core/ids.ts';
import type { Page } from '../core/page.ts';
import type { MintedToken } from '../tokens/lifecycle.ts';
import type { KeptPolicy, TokenPolicy } from '../tokens/policy.ts';
import type { TokenState } from '../tokens/token-lifetime.ts';
import type { TokenSettings } from '../tokens/token-settings.ts';
import type { TokenQuery, TokenRecord } from '../tokens/token-store.ts';
import type { Caller } from './caller.ts';
import type { Refused } from './refused.ts';

/** A token as it is shown: never its digest. */
export interface ShownToken extends Omit<TokenRecord, 'digest' | 'pepperId'> {
  readonly ownerName: string;
  readonly state: TokenState;
}

/** A token whose value can be read this once. */
export interface FreshToken {
  readonly token: ShownToken;
  readonly value: MintedToken['value'];
}

/**
 * What can be done to tokens by people and admin keys: their own by everybody, anybody's by those who manage tokens.
 * Every change needs a confirmed caller and keeps to the policy; foreign ids are 'not_found'. Rejects with a Fault
 * where the store cannot be asked. `ifVersion`: refused as 'stale' where the token has another version by now.
 */
export interface TokenManagement {
  /** Without `userId`: the caller's own for a person that manages nothing, everybody's else. */
  list(caller: Caller, query: TokenQuery): Promise<Page<ShownToken> | Refused>;
  get(caller: Caller, id: TokenId): Promise<ShownToken | Refused>;
  /** For the caller itself, or for `ownerId` by those who manage tokens. Starts off where the policy says so. */
  create(caller: Caller, ownerId: UserId, settings: TokenSettings): Promise<FreshToken | Refused>;
  edit(
    caller: Caller,
    id: TokenId,
    settings: TokenSettings,
    ifVersion?: number,
  ): Promise<ShownToken | Refused>;
  /** A new value; the old one is dead at once. An ended token needs a new `expiresAt`. */
  regenerate(caller: Caller, id: TokenId, expiresAt?: number | null): Promise<FreshToken | Refused>;
  /** A new token of the same owner with the settings of this one and changes to them. */
  copy(caller: Caller, id: TokenId, changes: TokenSettings): Promise<FreshToken | Refused>;
  setEnabled(
    caller: Caller,
    id: TokenId,
    enabled: boolean,
    ifVersion?: number,
  ): Promise<ShownToken | Refused>;
  revoke(caller: Caller, id: TokenId, why?: string): Promise<ShownToken | Refused>;
  /** At most 1,000. Resolves to those revoked now; all or none are refused where one is not the caller's. */
  revokeMany(caller: Caller, ids: readonly TokenId[], why?: string): Promise<readonly ShownToken[] | Refused>;
  /** The policy that binds new settings, and whether the caller may have tokens at all. */
  policyFor(caller: Caller): Promise<{ readonly policy: TokenPolicy; readonly mayHaveTokens: boolean }>;
  /** Needs an admin. */
  readPolicy(caller: Caller): Promise<KeptPolicy | Refused>;
  replacePolicy(caller: Caller, policy: TokenPolicy, ifVersion: number): Promise<KeptPolicy | Refused>;
}
