import type { Principal } from '../core/principal.ts';

/** What the client sent, taken apart but unverified. */
export type Credential =
  | { readonly channel: 'basic'; readonly user: string; readonly secret: string }
  | { readonly channel: 'bearer' | 'header' | 'query'; readonly secret: string };

/** Why a credential was refused; for logs and metrics, never for the client. */
export type RefusalReason =
  | 'malformed'
  | 'unknown'
  | 'expired'
  | 'not_yet_valid'
  | 'revoked'
  | 'disabled'
  | 'user_disabled'
  | 'wrong_user'
  | 'network'
  | 'password_refused'
  | 'wrong_password'
  /** A password that was not checked, because too many before it were wrong. */
  | 'throttled';

/** The verdict on a credential. */
export type Verification =
  | Verified
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly tier: Tier };

/** The credential speaks for somebody. */
export interface Verified {
  readonly kind: 'verified';
  readonly principal: Principal;
  readonly tier: Tier;
}

/** Which tier answered. */
export type Tier = 'none' | 'l1' | 'redis' | 'store';

/** What a verdict depends on beside the credential. */
export interface VerificationContext {
  /** The client's address, for tokens bound to networks and for last use. */
  readonly clientAddress: string;
  /** User-Agent, for last use; null where absent. */
  readonly client: string | null;
  /** Whether the route accepts the user's own password (Basic only). */
  readonly mainPassword: boolean;
}

/**
 * Decides whom a credential speaks for. A cached answer comes back without a promise.
 * Throws or rejects with `Fault` ('store_unavailable', 'overloaded'); never allows on doubt.
 * A successful answer has been noted for last use.
 */
export interface Verifier {
  verify(credential: Credential, context: VerificationContext): Verification | Promise<Verification>;
}
