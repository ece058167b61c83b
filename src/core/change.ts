import type { TokenId, UserId } from './ids.ts';

/** A journal entry: everything older than `version` of the named token or user no longer counts. */
export type Change =
  | { readonly kind: 'token'; readonly tokenId: TokenId; readonly version: number }
  | { readonly kind: 'user'; readonly userId: UserId; readonly version: number };
