import type { Clock } from '../../src/core/clock.ts';
import type { PepperConfig } from '../../src/config/config.ts';
import type { UserId } from '../../src/core/ids.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createPasswordDirectory } from '../../src/identity/password-directory.ts';
import { createPasswords } from '../../src/identity/passwords.ts';
import type { UserRecord, UserStore } from '../../src/identity/user-store.ts';
import { createUsers, type Users } from '../../src/identity/users.ts';
import { openSqlite, type SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { createSqliteTokenStore } from '../../src/storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../../src/storage/sqlite/user-store.ts';
import { createAnnounce } from '../../src/tokens/announce.ts';
import type { ChangeListener } from '../../src/tokens/change-feed.ts';
import { createPeppers, type Peppers } from '../../src/tokens/digest.ts';
import { createFreshness, type Freshness } from '../../src/tokens/freshness.ts';
import { createLastUse, type LastUse } from '../../src/tokens/last-use.ts';
import { createTokenLifecycle, type MintedToken, type TokenLifecycle } from '../../src/tokens/lifecycle.ts';
import type { SharedCache } from '../../src/tokens/shared-cache.ts';
import type { Actor } from '../../src/tokens/token-changes.ts';
import type { TokenSettings } from '../../src/tokens/token-settings.ts';
import { holdsToken } from '../../src/tokens/mint.ts';
import type { TokenStore } from '../../src/tokens/token-store.ts';
import type { Verification, VerificationContext, Verifier } from '../../src/tokens/verification.ts';
import { createGuesses, type GuessLimits, type Guesses } from '../../src/tokens/guesses.ts';
import { createPasswordVerifier } from '../../src/tokens/verify-password.ts';
import { createVerifier } from '../../src/tokens/verify.ts';

/** Who acts in tests. */
export const tester: Actor = { name: 'test', address: null };

/** One process as far as tokens go, on a store file. */
export interface TokenWorld {
  readonly database: SqliteDatabase;
  readonly tokens: TokenStore;
  readonly userStore: UserStore;
  readonly users: Users;
  readonly peppers: Peppers;
  readonly freshness: Freshness;
  readonly lastUse: LastUse;
  readonly lifecycle: TokenLifecycle;
  readonly guesses: Guesses;
  readonly verifier: Verifier;
  /** The journal's listener, to be played by the test. */
  readonly journal: ChangeListener;
  /** Faults that writing behind reported. */
  readonly faults: unknown[];
  /** Adds a user who must not exist. */
  addUser(name: string, password?: string): Promise<UserRecord>;
  /** Mints a token that must be acceptable; scope `*` unless chosen. */
  mint(owner: UserRecord, settings?: TokenSettings): Promise<MintedToken>;
  /** Verifies as Bearer from 192.0.2.1. */
  bearer(secret: string, context?: Partial<VerificationContext>): Promise<Verification>;
  /** Verifies as Basic from 192.0.2.1. */
  basic(user: string, secret: string, context?: Partial<VerificationContext>): Promise<Verification>;
}

/** What tests may replace. */
export interface WorldOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly peppers?: readonly PepperConfig[];
  readonly shared?: SharedCache;
  /** Default: so many guesses that no test reaches them by chance. */
  readonly guessLimits?: GuessLimits;
  /** Where passwords are kept beside the local ones, as the directory is told. Default: nowhere. */
  readonly directory?: Partial<Parameters<typeof createPasswordDirectory>[0]>;
  /** Stands between the verifier and the store. */
  readonly wrapStore?: (store: TokenStore) => TokenStore;
  readonly wrapUserStore?: (store: UserStore) => UserStore;
}

/** Wires a process as the product does; its journal is heard once at the start. */
export async function openTokenWorld(options: WorldOptions): Promise<TokenWorld> {
  const { path, clock, shared = null } = options;
  const database = await openSqlite({ path, clock, randomBytes: systemRandom });
  const same = <T>(value: T): T => value;
  const store = (options.wrapStore ?? same)(createSqliteTokenStore(database));
  const userStore = (options.wrapUserStore ?? same)(createSqliteUserStore(database));
  const peppers = createPeppers(options.peppers ?? [{ id: 'p1', secret: 'a pepper for tests' }]);
  const freshness = createFreshness({ clock });
  const announce = createAnnounce({ freshness, announcers: [] });
  const faults: unknown[] = [];
  const lastUse = createLastUse({ clock, store, onFault: (fault) => faults.push(fault) });
  const check = createPasswords({ concurrency: 2, queueMax: 8 });
  const users = createUsers({
    clock,
    randomBytes: systemRandom,
    store: userStore,
    passwords: check,
    announce,
    holdsToken,
  });
  const lifecycle = createTokenLifecycle({
    clock,
    randomBytes: systemRandom,
    store,
    peppers: () => Promise.resolve(peppers),
    announce,
    shared,
  });
  const directory = createPasswordDirectory({
    ...{ store: userStore, passwords: check, hasLocal: true, sources: [], randomBytes: systemRandom },
    welcome: () => Promise.resolve(null),
    ...options.directory,
  });
  const tierDeps = { clock, shared, peppers, freshness };
  const guesses = createGuesses({
    ...{ clock, peppers, realm: store.realm, shared: null },
    limits: options.guessLimits ?? { perAccount: 1_000, perClient: 1_000, windowMs: 900_000 },
  });
  const passwords = createPasswordVerifier({ ...tierDeps, realm: store.realm, check: directory, guesses });
  const verifier = createVerifier({ ...tierDeps, store, lastUse, passwords });
  const journal = freshness.listener({ replaysRecent: true });
  journal.heard();

  const full = (context: Partial<VerificationContext> = {}): VerificationContext => ({
    ...{ clientAddress: '192.0.2.1', client: null, mainPassword: false },
    ...context,
  });
  return {
    ...{
      database,
      tokens: store,
      userStore,
      users,
      peppers,
      freshness,
      lastUse,
      lifecycle,
      guesses,
      verifier,
      journal,
      faults,
    },
    async addUser(name, password) {
      const added = await users.add(tester, name, password ?? null);
      if (added.kind === 'refused') throw new Error(added.detail);
      return added.user;
    },
    async mint(owner, settings = {}) {
      const minted = await lifecycle.create(tester, owner, { name: 'phone', scopes: ['*'], ...settings });
      if (minted.kind === 'refused') throw new Error(minted.detail);
      return minted;
    },
    bearer: async (secret, context) => verifier.verify({ channel: 'bearer', secret }, full(context)),
    basic: async (user, secret, context) =>
      verifier.verify({ channel: 'basic', user, secret }, full(context)),
  };
}

/** An id that no user has. */
export const nobody: UserId = '00000000-0000-7000-8000-000000000000' as UserId;
