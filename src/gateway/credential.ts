import { isUtf8 } from 'node:buffer';
import { type Denial, deny } from '../core/decision.ts';
import type { CanonicalPath } from '../core/path.ts';
import { holdsToken, tokenPrefix } from '../tokens/mint.ts';
import type { Credential } from '../tokens/verification.ts';
import type { RequestHead } from './request-head.ts';

/** Where a route looks for credentials; names in lower case for headers, exact for the query. */
export interface AcceptedChannels {
  readonly basic: boolean;
  readonly bearer: boolean;
  readonly headers: readonly string[];
  readonly queries: readonly string[];
}

/** What a request offers, with the query string freed of it. */
export interface Presented {
  readonly kind: 'presented';
  /** Null where nothing acceptable was sent. */
  readonly credential: Credential | null;
  /** Which channel it came through, for metrics. */
  readonly scheme: Scheme;
  /** The query string without any credential. */
  readonly query: string;
}

/** The channels as metrics name them. */
export type Scheme = 'none' | 'basic' | 'bearer' | 'header' | 'query' | 'other';

/** RFC 6750 section 2.3: the name under which clients send tokens without being asked. */
const standardQueryName = 'access_token';

/**
 * Takes the credential out of a request. More than one is refused whatever they hold (RFC 6750
 * section 2), and a query parameter that carries one is removed from what is forwarded. A token of ours anywhere
 * else in the target is refused: it would end up in the backend's logs.
 */
export function presentedCredential(head: RequestHead, accepted: AcceptedChannels): Presented | Denial {
  let credential: Credential | null = null;
  let scheme: Scheme = 'none';
  let count = 0;
  if (head.authorization !== null) {
    count++;
    const read = readAuthorization(head.authorization);
    if ('kind' in read) return read;
    scheme = read.scheme;
    if ((scheme === 'basic' && accepted.basic) || (scheme === 'bearer' && accepted.bearer)) {
      credential = read.credential;
    }
  }
  for (const [name, value] of head.credentialFields) {
    if (!accepted.headers.includes(name)) continue;
    count++;
    scheme = 'header';
    credential = { channel: 'header', secret: value };
  }
  let query = head.query;
  if (query !== '' && (accepted.queries.length > 0 || mayHoldToken(query))) {
    const taken = takeFromQuery(query, accepted.queries);
    query = taken.query;
    for (const { value, usable } of taken.found) {
      count++;
      scheme = 'query';
      if (usable) credential = { channel: 'query', secret: value };
    }
  }
  if (count > 1) return deny('two_credentials', 'several credentials');
  return tokenInTarget(head.path, query) ?? { kind: 'presented', credential, scheme, query };
}

/** The refusal of a target in which a token of ours stands, or null: others may have logged it. */
export function tokenInTarget(path: CanonicalPath, query: string): Denial | null {
  if (path.includes(tokenPrefix) && holdsToken(path)) return deny('token_in_url', 'path');
  return mayHoldToken(query) && holdsToken(decodeAscii(query)) ? deny('token_in_url', 'query') : null;
}

/** Whether a token of ours may stand in the query, its prefix percent-encoded or not. */
function mayHoldToken(query: string): boolean {
  return query.includes(tokenPrefix) || query.includes('%');
}

/** What an Authorization field says; the credential is null where its scheme is none of ours. */
export interface Authorization {
  readonly scheme: Scheme;
  readonly credential: Credential | null;
}

/** Reads an Authorization field (RFC 9110 section 11.6.2): scheme, spaces, credentials. */
export function readAuthorization(value: string): Authorization | Denial {
  const space = value.indexOf(' ');
  const scheme = (space === -1 ? value : value.slice(0, space)).toLowerCase();
  const rest = space === -1 ? '' : withoutSpaces(value.slice(space + 1));
  if (scheme === 'bearer') {
    if (!/^[A-Za-z0-9._~+/-]+=*$/.test(rest)) return deny('malformed_credential', 'bearer');
    return { scheme: 'bearer', credential: { channel: 'bearer', secret: rest } };
  }
  if (scheme === 'basic') {
    const pair = readBasic(rest);
    return pair === null ? deny('malformed_credential', 'basic') : { scheme: 'basic', credential: pair };
  }
  return { scheme: 'other', credential: null };
}

/** Spaces alone separate scheme and credentials: a tab or a no-break space is neither. In one pass. */
function withoutSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) === 0x20) start++;
  while (end > start && text.charCodeAt(end - 1) === 0x20) end--;
  return text.slice(start, end);
}

/**
 * RFC 7617 section 2: base64 of user, colon, password in UTF-8, without control characters. The padding may
 * be left out; the alphabet of base64url is refused.
 */
function readBasic(encoded: string): Credential | null {
  const bytes = decodeBase64(encoded);
  if (bytes === null) return null;
  const text = printableAscii.test(bytes) ? bytes : decodeUtf8(bytes);
  const colon = text === null ? -1 : text.indexOf(':');
  if (text === null || colon === -1) return null;
  return { channel: 'basic', user: text.slice(0, colon), secret: text.slice(colon + 1) };
}

const printableAscii = /^[\x20-\x7e]*$/;

/** One character per byte. */
function decodeBase64(encoded: string): string | null {
  // The decoder skips white space; a field value has no other kinds.
  if (encoded.includes(' ') || encoded.includes('\t')) return null;
  try {
    return atob(encoded);
  } catch {
    return null;
  }
}

function decodeUtf8(bytes: string): string | null {
  const buffer = Buffer.from(bytes, 'latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 7617 forbids exactly these.
  return isUtf8(buffer) && !/[\u0000-\u001f\u007f]/.test(bytes) ? buffer.toString('utf8') : null;
}

/**
 * Cuts credential parameters out of a query string. Besides the route's own names, the standard
 * name counts where its value looks like one of our tokens: it must not pass, wherever it is sent.
 */
function takeFromQuery(
  query: string,
  names: readonly string[],
): {
  readonly query: string;
  readonly found: readonly { readonly value: string; readonly usable: boolean }[];
} {
  const kept: string[] = [];
  const found: { value: string; usable: boolean }[] = [];
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const name = decodeParameter(equals === -1 ? pair : pair.slice(0, equals));
    const value = decodeParameter(equals === -1 ? '' : pair.slice(equals + 1));
    if (names.includes(name)) found.push({ value, usable: true });
    else if (name === standardQueryName && value.startsWith(tokenPrefix))
      found.push({ value, usable: false });
    else kept.push(pair);
  }
  return found.length === 0 ? { query, found } : { query: kept.join('&'), found };
}

/** Decodes the escapes in which a token's characters may be written, whatever stands around them. */
function decodeAscii(text: string): string {
  return text.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Percent and plus decoding; what cannot be decoded stays as it is and matches nothing. */
function decodeParameter(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
