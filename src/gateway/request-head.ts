import type { CanonicalPath } from '../core/path.ts';

/**
 * A request head that has been read strictly: every field below stood at most once.
 * Field values are as received; only `host` is lower-cased.
 */
export interface RequestHead {
  readonly kind: 'head';
  readonly method: string;
  /** Decoded and checked, for comparison. */
  readonly path: CanonicalPath;
  /** The path's original bytes: what the backend gets. */
  readonly rawPath: string;
  /** Without the question mark; '' where there is none. */
  readonly query: string;
  /** The authority by which the client addressed us, lower case. */
  readonly host: string;
  /** The scheme by which the client addressed us. */
  readonly scheme: 'http' | 'https';
  /** The client's own address: the peer, or what a trusted proxy says. */
  readonly clientAddress: string;
  /** X-Forwarded-For as the backend shall see it. */
  readonly forwardedFor: string;
  readonly authorization: string | null;
  readonly destination: string | null;
  readonly ifHeader: string | null;
  readonly depth: string | null;
  readonly overwrite: string | null;
  readonly methodOverride: string | null;
  readonly uploadMetadata: string | null;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly userAgent: string | null;
  readonly referer: string | null;
  /** How the body is framed: no body, a known length in bytes, or chunked. */
  readonly body: 'none' | 'chunked' | number;
  /** Fields that carry credentials on some route, lower-case name first; mostly empty. */
  readonly credentialFields: readonly (readonly [name: string, value: string])[];
  /** Our own pages are served under this host too. */
  readonly besideOwnPages: boolean;
  /** Flat names and values that pass to the backend as they are. */
  readonly passed: readonly string[];
}
