import { foldUserName } from '../core/user-name.ts';
import type { Passwords } from './passwords.ts';
import { isShutOut, type UserRecord, type UserStore } from './user-store.ts';

/** Main passwords of local users, in the form in which the verifier asks for them. */
export interface PasswordDirectory {
  /** By login name in any spelling; one whom the source has shut out shows as disabled. */
  find(userName: string): Promise<UserRecord | null>;
  matches(owner: Pick<UserRecord, 'passwordHash'> | null, password: string): Promise<boolean>;
}

/** Joins the users with the checking of passwords. */
export function createPasswordDirectory(deps: {
  readonly store: Pick<UserStore, 'findByName'>;
  readonly passwords: Pick<Passwords, 'matches'>;
}): PasswordDirectory {
  return {
    async find(userName) {
      const user = await deps.store.findByName(foldUserName(userName));
      return user === null ? null : { ...user, disabled: isShutOut(user) };
    },
    matches: (owner, password) => deps.passwords.matches(owner?.passwordHash ?? null, password),
  };
}
