import { isIP } from 'node:net';
import { parseScope, type Scope } from '../core/scope.ts';
import { plainAddress } from '../gateway/client-side.ts';

/** A question about one credential. */
export interface VerifyQuestion {
  readonly secret: string;
  /** The name sent beside the secret; null where there was none. */
  readonly userName: string | null;
  /** Where the client is; 'unknown' where it is not said, which lies within no network. */
  readonly address: string;
  /** All of these the credential must allow; `{user}` not yet expanded. */
  readonly scopes: readonly Scope[];
  /** Whose `mainPassword` counts; null: none is accepted. */
  readonly route: string | null;
}

const formType = /^application\/x-www-form-urlencoded *(?:;|$)/i;

/**
 * Reads the form of RFC 7662 section 2.1, and what we take beside it. A sentence where it is none: nothing sent is
 * repeated. Parameters may stand once (RFC 6749 section 3.2); unknown ones are ignored, `token_type_hint` among them.
 */
export function readVerifyForm(contentType: string | null, body: string): VerifyQuestion | string {
  if (contentType === null || !formType.test(contentType)) {
    return 'The body must be application/x-www-form-urlencoded.';
  }
  const form = new URLSearchParams(body);
  for (const name of ['token', 'username', 'address', 'scope', 'route']) {
    if (form.getAll(name).length > 1) return `The parameter ${name} stands twice.`;
  }
  const secret = form.get('token');
  if (secret === null || secret === '') return 'The parameter token is missing.';
  const address = plainAddress(form.get('address') ?? unknownAddress);
  if (address !== unknownAddress && isIP(address) === 0) return 'The parameter address is no IP address.';
  const scopes: Scope[] = [];
  // A scope holds no space in its text form.
  for (const text of (form.get('scope') ?? '').split(' ').filter((part) => part !== '')) {
    const scope = parseScope(text);
    if (scope.kind === 'scope_problem') return scope.detail;
    scopes.push(scope);
  }
  return { secret, userName: form.get('username'), address, scopes, route: form.get('route') };
}

const unknownAddress = 'unknown';
