/** What a source says of a person it has let in. */
export interface SourceIdentity {
  /** What the source calls this person for ever (entryUUID, `sub`; the login name in an htpasswd file). */
  readonly subject: string;
  /** The login name that the source suggests; null: the person gets a UUID as one. */
  readonly userName: string | null;
  readonly displayName: string | null;
  readonly email: string | null;
  /** True or false where the source's groups decide who is an admin; null where they do not. */
  readonly isAdmin: boolean | null;
  /** What lets us ask the source about this person later; null where its name is enough. */
  readonly grant: string | null;
  /** What the provider wants to hear at sign-out; null where nothing. */
  readonly signOut: string | null;
}

/** Let in, or not; why not is told to the log alone. */
export type SourceVerdict =
  | { readonly kind: 'known'; readonly identity: SourceIdentity }
  | {
      readonly kind: 'refused';
      readonly reason: string;
      /** Whether it was held against somebody who is there. */
      readonly wasChecked: boolean;
    };

/** Whether a source still lets somebody in; 'unknown' where it cannot be asked just now. */
export type Standing =
  | {
      readonly kind: 'stands';
      /** Replaces the kept one. */
      readonly grant?: string;
      /** As in the identity; left out where the source did not say. */
      readonly isAdmin?: boolean | null;
    }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly grant?: string };

/** Users kept elsewhere, who sign in here with a password (htpasswd file, LDAP). */
export interface PasswordSource {
  readonly kind: 'htpasswd' | 'ldap';
  /** As configured; kept with each user that comes from it. */
  readonly name: string;
  /** Checks login name and password. Rejects with `Fault('sign_in_unavailable')` where it cannot be asked. */
  check(userName: string, password: string): Promise<SourceVerdict>;
  /** The same for somebody it has let in before, by what it calls that person for ever: names may change there. */
  checkAgain(subject: string, password: string): Promise<SourceVerdict>;
  /** Asked at `signIn.checkInterval` of each user with this source. Never rejects. */
  standing(user: { readonly subject: string; readonly grant: string | null }): Promise<Standing>;
  close(): Promise<void>;
}

/** A sign-in under way at a provider. */
export interface StartedSignIn {
  /** Where the browser goes. */
  readonly url: string;
  /** State, nonce and code verifier: kept in the browser in a sealed cookie until it comes back. */
  readonly pending: string;
}

/** Users who sign in at a provider and come back (OpenID Connect, code with PKCE). */
export interface RedirectSource {
  readonly kind: 'oidc';
  readonly name: string;
  /** For the button: "Sign in with …". */
  readonly label: string;
  /**
   * Begins a sign-in. `callbackUrl` is ours, absolute. `fresh`: the provider must ask the person anew (a confirmation).
   * Rejects with `Fault('sign_in_unavailable')` where the provider cannot be asked.
   */
  begin(callbackUrl: string, fresh: boolean): Promise<StartedSignIn>;
  /**
   * Ends it. `currentUrl` is our callback with what the provider added. Refused where state, nonce, signature, audience
   * or (for a fresh one) the moment of authentication do not fit.
   */
  finish(currentUrl: string, pending: string): Promise<SourceVerdict>;
  /** Where the browser goes to sign out there too; null where the provider offers none. `signOut` as in the identity. */
  signOutUrl(signOut: string | null, returnUrl: string): Promise<string | null>;
  standing(user: { readonly subject: string; readonly grant: string | null }): Promise<Standing>;
  close(): Promise<void>;
}
