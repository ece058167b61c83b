import type { Language } from '../identity/user-store.ts';
import type { Person } from './caller.ts';
import type { ManagementRefusal } from './refused.ts';

/** Where a browser asks from. */
export interface BrowserSide {
  readonly address: string;
  readonly userAgent: string | null;
  readonly language: Language;
}

/** A way to sign in, for the sign-in page. */
export interface SignInWay {
  readonly kind: 'password' | 'redirect';
  /** Name of the source for 'redirect'; null for the one password form that serves all password sources. */
  readonly source: string | null;
  readonly label: string | null;
}

/** Signed in: the new session's secret goes into the cookie and nowhere else. */
export interface SignedIn {
  readonly kind: 'signed_in';
  readonly secret: string;
  /** When the cookie ends, epoch milliseconds. */
  readonly endsAt: number;
  readonly person: Person;
}

/**
 * A no at the door. 'refused' is one and the same for an unknown user, a wrong password, somebody disabled; 'throttled'
 * says how long to wait.
 */
export type SignInRefusal =
  | { readonly kind: 'refused'; readonly code: 'sign_in_refused' | 'link_used'; readonly detail: string }
  | {
      readonly kind: 'refused';
      readonly code: 'throttled';
      readonly detail: string;
      readonly retryAfterMs: number;
    };

/**
 * How people come in and prove that they are there. Rejects with `Fault('sign_in_unavailable')` where a source cannot be
 * asked, `Fault('overloaded')` where too many passwords wait, `Fault('store_unavailable')`.
 */
export interface SignIn {
  ways(): readonly SignInWay[];
  /** Whether this person confirms with a password here, or at the provider of `session.source`. */
  confirmationWay(person: Person): 'password' | 'redirect';
  /** `currentSecret`: the session that this browser had, which ends. Sources are asked in the order of the configuration. */
  withPassword(
    side: BrowserSide,
    userName: string,
    password: string,
    currentSecret: string | null,
  ): Promise<SignedIn | SignInRefusal>;
  /** Sends the browser to a provider; null where there is no such source. `pending` goes into a sealed cookie. */
  begin(
    source: string,
    callbackUrl: string,
    fresh: boolean,
  ): Promise<{ readonly url: string; readonly pending: string } | null>;
  /**
   * The browser is back: signs in, or, for a person given, confirms that it is still the same one, whose session and
   * secret stay.
   */
  finish(
    side: BrowserSide,
    source: string,
    currentUrl: string,
    pending: string,
    current: { readonly secret: string | null; readonly confirming: Person | null },
  ): Promise<SignedIn | SignInRefusal>;
  /** The person behind a session cookie, or null; notes that it was seen, at most once a minute. */
  recognise(secret: string, side: BrowserSide): Promise<Person | null>;
  /** Confirms with the password; wrong ones are throttled as at sign-in. */
  confirm(person: Person, password: string): Promise<Person | SignInRefusal>;
  /**
   * Keeps what the person was about to do, sealed, while the provider confirms; null takes it away. False where it is
   * longer than 16 KiB or the session has ended meanwhile.
   */
  keepDraft(person: Person, draft: string | null): Promise<boolean>;
  /** Ends the session. Resolves to where the browser should go to sign out at the provider too, or null. */
  signOut(person: Person, returnUrl: string): Promise<string | null>;
  /** What a one-time link is for, or null where it is used, expired or void. */
  readLink(
    secret: string,
  ): Promise<{ readonly purpose: 'first-admin' | 'set-password'; readonly userName: string | null } | null>;
  /**
   * Uses a one-time link up: makes the first admin (with `userName`), or sets the password of the link's user.
   * `currentSecret` as with `withPassword`.
   */
  useLink(
    side: BrowserSide,
    secret: string,
    userName: string | null,
    password: string,
    currentSecret: string | null,
  ): Promise<SignedIn | SignInRefusal | ManagementRefusal>;
  /** The secret part of a link to become the first admin, valid for a day; null where there is an admin or no local way. */
  firstAdminLink(): Promise<string | null>;
}
