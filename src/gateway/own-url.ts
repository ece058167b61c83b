import { canonicalPath } from '../core/path.ts';
import type { CanonicalPath } from '../core/path.ts';

/** Another resource that a request names, on the host the client speaks to. */
export interface OwnResource {
  /** For comparison. */
  readonly path: CanonicalPath;
  /** The original bytes, for forwarding. */
  readonly rawPath: string;
}

/**
 * Reads an absolute path, or an http(s) URL whose authority is `host` (lower case; a scheme's default port
 * may be left out on either side). Null for everything else: relative references, `//host` forms, user
 * information, other hosts, queries, fragments, and paths that `canonicalPath` refuses.
 */
export function readOwnUrl(text: string, host: string): OwnResource | null {
  const rawPath = text.charCodeAt(0) === slash ? text : pathOnHost(text, host);
  if (rawPath === null) return null;
  const path = canonicalPath(rawPath);
  return typeof path === 'string' ? { path, rawPath } : null;
}

const slash = 0x2f;

function pathOnHost(text: string, host: string): string | null {
  const scheme = /^https?:\/\//i.exec(text)?.[0];
  if (scheme === undefined) return null;
  const end = text.indexOf('/', scheme.length);
  if (end === -1) return null;
  const defaultPort = scheme.length === 'https://'.length ? ':443' : ':80';
  const authority = text.slice(scheme.length, end).toLowerCase();
  return isSameAuthority(authority, host, defaultPort) ? text.slice(end) : null;
}

function isSameAuthority(authority: string, host: string, defaultPort: string): boolean {
  if (authority === host || authority + defaultPort === host) return true;
  // A host with a port of its own does not take a second one.
  return authority === host + defaultPort && !/:\d+$/.test(host);
}
