import type { UserId } from '../core/ids.ts';

/** A user as far as checking a main password needs one. */
export interface PasswordOwner {
  readonly id: UserId;
  readonly name: string;
  readonly disabled: boolean;
  readonly version: number;
  /** The stored hash in whatever form the check itself understands; null where there is no password. */
  readonly passwordHash: string | null;
}

/** Main passwords, as the user directory keeps them. */
export interface PasswordCheck {
  /** The user by login name in any spelling, or null. Rejects with `Fault('store_unavailable')`. */
  find(userName: string): Promise<PasswordOwner | null>;
  /**
   * Whether the password is the owner's. Takes the same time for an unknown owner (null) or one without a
   * password. Rejects with `Fault('overloaded')` where too many wait.
   */
  matches(owner: PasswordOwner | null, password: string): Promise<boolean>;
}
