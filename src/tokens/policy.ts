/** What everybody's tokens are held to, whoever makes them in the browser or by the API; the command line is not bound. */
export interface TokenPolicy {
  /** Longest life from creation, regeneration or a new expiry on; null: no limit. Bounds sliding tokens by their absolute end. */
  readonly lifeMsMax: number | null;
  /** True: a token without any end is refused. */
  readonly expiryRequired: boolean;
  /** Scope texts, `{user}` standing for the owner; every scope of a token must lie within one. Null: any scope. */
  readonly scopes: readonly string[] | null;
  /** False: new tokens are off until their owner switches them on. */
  readonly startsEnabled: boolean;
  /** Whether users may have tokens about whom no admin has decided otherwise. */
  readonly everybodyMayHaveTokens: boolean;
}

/** The policy as it binds the tokens of one user. */
export interface OwnerPolicy extends TokenPolicy {
  /** Whether this user may have tokens: false leaves only what takes away. */
  readonly mayHaveTokens: boolean;
}

/** A policy as kept, for edits that must not overwrite each other. */
export interface KeptPolicy {
  readonly policy: TokenPolicy;
  /** Grows with every change; 0 where none was ever made. */
  readonly version: number;
  readonly changedAt: number | null;
  readonly changedBy: string | null;
}

/** The policy before anyone has chosen one: no limits. */
export const openPolicy: TokenPolicy = {
  lifeMsMax: null,
  expiryRequired: false,
  scopes: null,
  startsEnabled: true,
  everybodyMayHaveTokens: true,
};
