import type { AdminKeyStore } from '../../src/identity/admin-key-store.ts';
import type { LinkStore } from '../../src/identity/one-time-links.ts';
import type { SessionStore } from '../../src/identity/session-store.ts';
import type { UserStore } from '../../src/identity/user-store.ts';
import type { RepeatedRequests } from '../../src/management/repeated-requests.ts';
import type { PolicyStore } from '../../src/tokens/policy-store.ts';
import type { TokenStore } from '../../src/tokens/token-store.ts';
import type { WarningStore } from '../../src/tokens/warning-store.ts';

/** Everything that is kept in one database. */
export interface Stores {
  readonly tokens: TokenStore;
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly links: LinkStore;
  readonly adminKeys: AdminKeyStore;
  readonly policy: PolicyStore;
  readonly warnings: WarningStore;
  readonly repeated: RepeatedRequests;
}

/** What the contracts need of an implementation: an empty database, as two processes see it. */
export interface StoreSubject extends Stores {
  /** The same database over connections of its own. */
  readonly other: Stores;
  stop(): Promise<void>;
}
