import type { TokenId } from '../core/ids.ts';
import type { OwnedToken } from './token-store.ts';

/** By which way a warning goes. */
export type WarningChannelName = 'mail' | 'webhook';

/** A token that ends soon and of which nobody has been told on this channel. */
export interface DueWarning {
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
   * Claims at most `limit` warnings of this channel: tokens that count and end between `now` and `now + days`, not warned
   * of for this end and these days. A claim that was neither sent nor given up is offered again after 10 minutes, five times.
   * Where several of `days` are due at once, only the smallest is claimed.
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
}
