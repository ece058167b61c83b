import { systemRandom } from '../core/random.ts';
import { createSessions, type Sessions } from '../identity/sessions.ts';
import { createUsers, type Users } from '../identity/users.ts';
import { createLinkDoor } from '../management/link-door.ts';
import { createPasswordDoor } from '../management/password-door.ts';
import { createProviderDoor } from '../management/provider-door.ts';
import type { SignIn } from '../management/sign-in.ts';
import { createSignIn } from '../management/signing-in.ts';
import { holdsToken } from '../tokens/mint.ts';
import type { Ground } from './ground.ts';
import type { OpenedStore } from './store.ts';
import type { OpenedVerification } from './verification.ts';

/** How people come in, and what that needs of users and sessions. */
export interface OpenedSignIn {
  readonly signIn: SignIn;
  readonly users: Users;
  readonly sessions: Sessions;
}

/** Wires the doors over every configured way in. */
export async function openSignIn(
  { config, clock, log }: Ground,
  store: OpenedStore,
  { identities, guesses, announce }: OpenedVerification,
): Promise<OpenedSignIn> {
  const { ways, passwords, provisioning, sealer } = identities;
  const peppers = await store.openPeppers();
  const { portal } = config;
  const limits = {
    idleMs: portal.sessionIdleMs,
    maxMs: portal.sessionMs,
    confirmationMs: portal.confirmationMs,
  };
  const sessions = createSessions({ store: store.sessions, clock, randomBytes: systemRandom, limits });
  const users = createUsers({
    ...{ clock, store: store.users, passwords, announce, holdsToken, randomBytes: systemRandom },
  });
  const signIn = createSignIn({
    ...{ ways, sessions, sealer, log },
    passwordDoor: createPasswordDoor({
      ways: ways.filter((way) => way.kind !== 'oidc'),
      ...{ store: store.users, passwords, provisioning, guesses, peppers, log },
    }),
    providerDoor: createProviderDoor({
      sources: ways.filter((way) => way.kind === 'oidc'),
      ...{ store: store.users, provisioning, clock, log },
    }),
    linkDoor: createLinkDoor({
      ...{ links: store.links, store: store.users, users, clock, randomBytes: systemRandom },
    }),
  });
  return { signIn, users, sessions };
}
