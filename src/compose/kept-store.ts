import type { PepperId } from '../core/ids.ts';
import type { AdminKeyStore } from '../identity/admin-key-store.ts';
import type { LinkStore } from '../identity/one-time-links.ts';
import type { SessionStore } from '../identity/session-store.ts';
import type { UserStore } from '../identity/user-store.ts';
import type { RepeatedRequests } from '../management/repeated-requests.ts';
import type { ChangeFeed } from '../tokens/change-feed.ts';
import type { PolicyStore } from '../tokens/policy-store.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import type { WarningStore } from '../tokens/warning-store.ts';

/** What every kind of store is, once opened. */
export interface KeptStore {
  readonly tokens: TokenStore;
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly links: LinkStore;
  readonly adminKeys: AdminKeyStore;
  readonly policy: PolicyStore;
  readonly warnings: WarningStore;
  readonly repeated: RepeatedRequests;
  /**
   * Told the peppers that were found or made in dataDir: where several gateways share the store, they must share those.
   * Rejects with `Fault('store_unavailable')` where another gateway has others.
   */
  claimPeppers(ids: readonly PepperId[]): Promise<void>;
  /**
   * Told, for each pepper that is there, a text that only its secret makes, so that another secret under the same id is
   * noticed; `keeps` those that are new. Rejects with `Fault('store_unavailable')` where tokens would be unknown by it.
   */
  provePeppers(proofs: ReadonlyMap<PepperId, string>, keeps: boolean): Promise<void>;
  /** A feed of its own for each caller; unstarted. */
  journal(): ChangeFeed;
  /** Sets room aside for changes on a full disk. Rejects with `Fault('store_unavailable')` where there is none. */
  keepReserve(): Promise<void>;
  close(): Promise<void>;
}
