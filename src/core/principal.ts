import type { TokenId, UserId } from './ids.ts';
import type { Scope } from './scope.ts';

/** Who a verified credential speaks for. Frozen; shared between requests while cached. */
export interface Principal {
  readonly userId: UserId;
  /** The one spelling of the login name that is shown and forwarded. */
  readonly userName: string;
  /** The token used, or null where the main password was. */
  readonly tokenId: TokenId | null;
  /** What it may do; any one scope suffices. */
  readonly scopes: readonly Scope[];
}
