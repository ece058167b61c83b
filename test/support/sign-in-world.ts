import { systemRandom } from '../../src/core/random.ts';
import { createPasswords } from '../../src/identity/passwords.ts';
import type { SessionLimits } from '../../src/identity/sessions.ts';
import { createSessions, type Sessions } from '../../src/identity/sessions.ts';
import type { LinkStore } from '../../src/identity/one-time-links.ts';
import { createLinkDoor } from '../../src/management/link-door.ts';
import { createPasswordDoor } from '../../src/management/password-door.ts';
import { createProviderDoor } from '../../src/management/provider-door.ts';
import { createProvisioning } from '../../src/management/provisioning.ts';
import type { BrowserSide, SignedIn, SignIn } from '../../src/management/sign-in.ts';
import { type ConfiguredWay, createSignIn } from '../../src/management/signing-in.ts';
import { createSqliteLinkStore } from '../../src/storage/sqlite/link-store.ts';
import { createSqliteSessionStore } from '../../src/storage/sqlite/session-store.ts';
import { createAnnounce } from '../../src/tokens/announce.ts';
import { holdsToken } from '../../src/tokens/mint.ts';
import { createSealer, type Sealer } from '../../src/tokens/sealer.ts';
import { type SteppedClock, steppedClock } from './stepped-clock.ts';
import { openTokenWorld, type TokenWorld, type WorldOptions } from './token-world.ts';

/** A browser somewhere. */
export const browser: BrowserSide = { address: '192.0.2.1', userAgent: 'Firefox/150', language: 'en' };

/** Everything behind the doors, without pages. */
export interface SignInWorld extends TokenWorld {
  readonly clock: SteppedClock;
  readonly signIn: SignIn;
  readonly sessions: Sessions;
  readonly links: LinkStore;
  readonly sealer: Sealer;
  /** What the log was told: message and fields. */
  readonly told: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  /** Signs in with a password that must be right. */
  enter(userName: string, password: string, currentSecret?: string | null): Promise<SignedIn>;
  close(): Promise<void>;
}

/** What tests may choose. */
export interface SignInOptions extends Partial<WorldOptions> {
  readonly path: string;
  /** Default: local users alone. */
  readonly ways?: readonly ConfiguredWay[];
  readonly clock?: SteppedClock;
  readonly limits?: SessionLimits;
}

const hour = 3_600_000;

/** Wires the doors as the product does. */
export async function openSignInWorld(options: SignInOptions): Promise<SignInWorld> {
  const { clock = steppedClock(), ways = [{ kind: 'local' }] } = options;
  const limits = options.limits ?? { idleMs: 12 * hour, maxMs: 168 * hour, confirmationMs: 300_000 };
  const world = await openTokenWorld({ ...options, clock });
  const { database, userStore: store, users, peppers, guesses, freshness } = world;
  const told: SignInWorld['told'] = [];
  const say = (fields: Readonly<Record<string, unknown>>, message: string): void =>
    void told.push({ message, fields });
  const log = { info: say, warn: say };
  const sealer = createSealer(peppers);
  const links = createSqliteLinkStore(database);
  const deps = { clock, randomBytes: systemRandom };
  const sessions = createSessions({ ...deps, store: createSqliteSessionStore(database), limits });
  const provisioning = createProvisioning({
    ...{ ...deps, store, log, holdsToken },
    announce: createAnnounce({ freshness, announcers: [] }),
    sealGrant: (grant) => sealer.seal('grant', grant),
  });
  const signIn = createSignIn({
    ...{ ways, sessions, sealer, log },
    passwordDoor: createPasswordDoor({
      ways: ways.filter((way) => way.kind !== 'oidc'),
      passwords: createPasswords({ concurrency: 2, queueMax: 64 }),
      ...{ store, provisioning, guesses, peppers, log },
    }),
    providerDoor: createProviderDoor({
      sources: ways.filter((way) => way.kind === 'oidc'),
      ...{ store, provisioning, clock, log },
    }),
    linkDoor: createLinkDoor({ ...deps, links, store, users }),
  });
  return {
    ...world,
    ...{ clock, signIn, sessions, links, sealer, told },
    async enter(userName, password, currentSecret = null) {
      const entered = await signIn.withPassword(browser, userName, password, currentSecret);
      if (entered.kind === 'refused') throw new Error(entered.code);
      return entered;
    },
    async close() {
      for (const way of ways) if (way.kind !== 'local') await way.close();
      database.close();
    },
  };
}
