import type { ApiContext } from './api-context.ts';
import type { ProblemCode } from './problem-kinds.ts';

/** What If-Match asks for: a version, anything, or a version that there cannot be. */
export type Precondition =
  | { readonly kind: 'none'; readonly version?: undefined }
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'problem'; readonly code: Extract<ProblemCode, 'stale' | 'bad_precondition'> };

/** Says which version of its settings the answer shows (RFC 9110 section 8.8.3). */
export function setVersion(c: ApiContext, version: number): void {
  c.header('ETag', `"${version}"`);
}

/**
 * Reads If-Match (RFC 9110 section 13.1.1): `*` or one entity tag. A tag that was never ours, or a weak one, matches
 * nothing. Of several tags nobody can mean one version.
 */
export function readPrecondition(c: ApiContext): Precondition {
  const value = c.req.header('If-Match')?.trim();
  if (value === undefined || value === '*') return { kind: 'none' };
  if (!/^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(value))
    return { kind: 'problem', code: 'bad_precondition' };
  const version = /^"(0|[1-9]\d{0,14})"$/.exec(value)?.[1];
  return version === undefined
    ? { kind: 'problem', code: 'stale' }
    : { kind: 'version', version: Number(version) };
}
