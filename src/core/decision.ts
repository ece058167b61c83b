import type { DenialCode } from './errors.ts';
import type { Principal } from './principal.ts';

/**
 * A request as plain data: everything a decision needs, nothing of the server it came through.
 */
export interface Inbound {
  readonly method: string;
  /** The request target as received: origin-form or absolute-form. */
  readonly target: string;
  /** Flat name, value, name, value … in order and spelling of arrival. */
  readonly rawHeaders: readonly string[];
  /** The request line stood on the wire exactly as RFC 9112 section 3 wants it. */
  readonly exactLine: boolean;
  /** '1.0' or '1.1'. */
  readonly httpVersion: string;
  /** The socket's peer, IPv4-mapped addresses already shortened. */
  readonly peerAddress: string;
  /** True where the client's bytes arrived over TLS at this process. */
  readonly tls: boolean;
  /**
   * Reads the whole body for decisions that need it (REPORT, SEARCH).
   * Resolves to null where it is longer than `bytesMax`, and to a denial where `principal` has too many requests under
   * way; rejects where the client went away.
   */
  readBody(bytesMax: number, principal: Principal): Promise<Uint8Array | Denial | null>;
}

/** An expected no. */
export interface Denial {
  readonly kind: 'deny';
  readonly code: DenialCode;
  /** For logs: which check said no. Never holds a secret or a path. */
  readonly reason: string;
  /** Known only where verification came before the no. */
  readonly principal: Principal | null;
  /** Milliseconds after which it makes sense to ask again; null where that depends on nothing but the request. */
  readonly retryAfterMs: number | null;
}

/** Builds a denial; the reason is for logs and holds neither secret nor path. */
export function deny(code: DenialCode, reason: string, principal: Principal | null = null): Denial {
  return { kind: 'deny', code, reason, principal, retryAfterMs: null };
}

/** Builds a denial that ends by itself after `retryAfterMs`. */
export function denyForNow(code: DenialCode, reason: string, retryAfterMs: number): Denial {
  return { kind: 'deny', code, reason, principal: null, retryAfterMs };
}
