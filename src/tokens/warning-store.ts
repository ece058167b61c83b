import type { TokenId } from '../core/ids.ts';
import type { OwnedToken } from './token-store.ts';

/** By which way a warning goes. */
export type WarningChannelName = 'mail' | 'webhook';

/** A token that ends soon and of which nobody has been told on this channel. */
export interface DueWarning {
  /** `expiresAt` is the end of which the warning is. */
  readonly owned: OwnedToken;
  readonly owner: {
    readonly displayName: string | null;
    readonly email: string | null;
    readonly language: 'en' | 'de' | null;
  };
  /** Which warning: this many days before the end. */
  readonly days: number;
  readonly channel: WarningChannelName;
}

/** Remembers which warnings went out, over restarts and between processes. Throws `Fault('store_unavailable')`. */
export interface WarningStore {
  /**
   * Claims at most `limit` warnings of this channel, soonest end first: of tokens that could be used now and end between
   * `now` and `now + days`, not warned of for this end and these days; where several of `days` fit, of the smallest.
   * Left out is a warning that would come with the token itself (one that lives no longer than `days`) or with every use
   * (a sliding window no longer than `days`, unless the absolute end is near).
   * No two callers get the same. A claim that `sent` does not conclude is offered again after 10 minutes, then after four
   * times as long each, five times in all.
   */
  claim(
    channel: WarningChannelName,
    days: readonly number[],
    now: number,
    limit: number,
  ): Promise<readonly DueWarning[]>;
  /** It went out (or nobody is to be told): never again for this end. */
  sent(
    tokenId: TokenId,
    expiresAt: number,
    days: number,
    channel: WarningChannelName,
    at: number,
  ): Promise<void>;
  /** Forgets at most `limit` warnings of ends from before this moment. Resolves to how many. */
  prune(endedBefore: number, limit: number): Promise<number>;
}
