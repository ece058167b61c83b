import type { UserId } from '../core/ids.ts';

/** A user as far as checking a main password needs one. */
export interface PasswordOwner {
  readonly id: UserId;
  readonly name: string;
  /** Nothing of this user counts. */
  readonly disabled: boolean;
  readonly version: number;
  /** Null where the password is kept elsewhere, and changes without a new version, or where there is none. */
  readonly passwordHash: string | null;
}

/** Main passwords, as the user directory keeps them. `Owner` is what it knows of a user beside. */
export interface PasswordCheck<Owner extends PasswordOwner = PasswordOwner> {
  /** The user by login name in any spelling, or null. Rejects with `Fault('store_unavailable')`. */
  find(userName: string): Promise<Owner | null>;
  /**
   * Whose password it is, the owner's as found or, where there was none, somebody's who is new; null where nobody's.
   * Takes the same time for an unknown owner, or one without a password. Rejects with `Fault('overloaded')` where too
   * many wait, and `Fault('sign_in_unavailable')` where the place that keeps it cannot be asked.
   */
  prove(userName: string, owner: Owner | null, password: string): Promise<Owner | null>;
}
