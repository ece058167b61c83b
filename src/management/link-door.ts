import type { Clock } from '../core/clock.ts';
import { foldUserName } from '../core/user-name.ts';
import type { RandomBytes } from '../core/random.ts';
import {
  issueFirstAdminLink,
  type LinkPurpose,
  type LinkRecord,
  type LinkStore,
} from '../identity/one-time-links.ts';
import { passwordProblem } from '../identity/passwords.ts';
import { digestSecret, isSecretShaped } from '../identity/random-secret.ts';
import { checkUserName } from '../identity/user-name.ts';
import type { UserRefusal } from '../identity/user-refusal.ts';
import type { Users } from '../identity/users.ts';
import { isShutOut, localSource, type UserRecord, type UserStore } from '../identity/user-store.ts';
import { type ManagementRefusal, refused } from './refused.ts';
import type { SignInRefusal } from './sign-in.ts';
import { linkUsed } from './sign-in-refusals.ts';

/** What a link would do now. */
export interface ReadLink {
  readonly purpose: LinkPurpose;
  /** Whose password it sets; null for the first admin. */
  readonly userName: string | null;
}

/** One-time links. Rejects with a Fault where the store cannot be asked. */
export interface LinkDoor {
  /** Null where the link is used, expired or void. */
  read(secret: string): Promise<ReadLink | null>;
  /** What is wrong with name or password is said before the link is used up. */
  use(
    secret: string,
    userName: string | null,
    password: string,
    address: string,
  ): Promise<UserRecord | SignInRefusal | ManagementRefusal>;
  /** Null where there is an admin. */
  firstAdminLink(): Promise<string | null>;
}

interface LinkDoorDeps {
  readonly links: LinkStore;
  readonly store: Pick<UserStore, 'get' | 'hasAny' | 'findByName'>;
  readonly users: Pick<Users, 'add' | 'setPassword'>;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

/** See `LinkDoor`. */
export function createLinkDoor(deps: LinkDoorDeps): LinkDoor {
  const { links, store, clock } = deps;

  /** Whom the link is for, where it still does anything: 'admin' for whoever becomes the first one. */
  async function holder(link: LinkRecord): Promise<UserRecord | 'admin' | null> {
    if (link.purpose === 'first-admin') return (await store.hasAny('admin')) ? null : 'admin';
    const user = link.userId === null ? null : await store.get(link.userId);
    return user === null || user.source !== localSource || isShutOut(user) ? null : user;
  }

  async function open(secret: string): Promise<UserRecord | 'admin' | null> {
    const link = isSecretShaped(secret) ? await links.find(digestSecret(secret), clock.now()) : null;
    return link === null ? null : holder(link);
  }

  /** Of several who hold the same link one gets here with it. */
  const useUp = async (secret: string): Promise<UserRecord | 'admin' | null> => {
    const link = await links.use(digestSecret(secret), clock.now());
    return link === null ? null : holder(link);
  };

  async function makeAdmin(secret: string, name: string, password: string, address: string) {
    const problem = await adminNameProblem(store, name);
    if (problem !== null) return problem;
    if ((await useUp(secret)) !== 'admin') return linkUsed;
    return deps.users.add({ name: 'link:first-admin', address }, name, password, { role: 'admin' });
  }

  async function setPassword(secret: string, password: string, address: string) {
    const user = await useUp(secret);
    if (user === null || user === 'admin') return linkUsed;
    return deps.users.setPassword({ name: `user:${user.name}`, address }, user.id, password);
  }

  return {
    async read(secret) {
      const who = await open(secret);
      if (who === null) return null;
      return who === 'admin'
        ? { purpose: 'first-admin', userName: null }
        : { purpose: 'set-password', userName: who.name };
    },
    async use(secret, userName, password, address) {
      const who = await open(secret);
      if (who === null) return linkUsed;
      const problem = passwordProblem(password);
      if (problem !== null) return refused('bad_request', problem);
      const outcome =
        who === 'admin'
          ? await makeAdmin(secret, userName ?? '', password, address)
          : await setPassword(secret, password, address);
      if (outcome.kind === 'user') return outcome.user;
      return isOurs(outcome) ? outcome : refused('conflict', outcome.detail);
    },
    firstAdminLink: () => issueFirstAdminLink(deps, { name: 'gateway', address: null }),
  };
}

async function adminNameProblem(
  store: Pick<UserStore, 'findByName'>,
  text: string,
): Promise<ManagementRefusal | null> {
  const checked = checkUserName(text);
  if ('problem' in checked) return refused('bad_request', checked.problem);
  if ((await store.findByName(foldUserName(checked.name))) === null) return null;
  return refused('conflict', `There is already a user ${checked.name}: choose another name.`);
}

function isOurs(
  outcome: UserRefusal | SignInRefusal | ManagementRefusal,
): outcome is SignInRefusal | ManagementRefusal {
  return outcome.code === 'link_used' || outcome.code === 'bad_request' || outcome.code === 'conflict';
}
