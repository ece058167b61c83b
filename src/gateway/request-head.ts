import type { CanonicalPath } from '../core/path.ts';

/**
 * A request head that has been read strictly: every field below stood at most once.
 * Field values are as received; only `host` is lower-cased.
 */
export interface RequestHead {
  readonly method: string;
  /** Decoded and checked, for comparison. */
  readonly path: CanonicalPath;
  /** The path's original bytes: what the backend gets. */
  readonly rawPath: string;
  /** Without the question mark; '' where there is none. */
  readonly query: string;
  /** The authority by which the client addressed us, lower case. */
  readonly host: string;
  readonly authorization: string | null;
  readonly destination: string | null;
  readonly ifHeader: string | null;
  readonly depth: string | null;
  readonly overwrite: string | null;
  readonly lockToken: string | null;
  readonly methodOverride: string | null;
  readonly uploadMetadata: string | null;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly userAgent: string | null;
}
