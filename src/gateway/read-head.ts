import { type Denial, deny, type Inbound } from '../core/decision.ts';
import { withoutOwnCookies } from '../core/own-cookies.ts';
import { canonicalPath } from '../core/path.ts';
import type { ClientSideReader, ForwardedFields } from './client-side.ts';
import { type FieldRule, type FieldRules, slot, slotCount } from './field-rules.ts';
import type { RequestHead } from './request-head.ts';

/** Most fields a head may have. */
export const fieldsMax = 100;
/** Longest request target in bytes. */
export const targetBytesMax = 8_192;
/** Longest head in bytes, request line and empty line included, white space around values not. */
export const headBytesMax = 16_384;

/** What reading a head needs. */
export interface HeadReaderDeps {
  readonly rules: FieldRules;
  readonly clientSide: ClientSideReader;
  /** Whether our own pages are served under this authority (lower case). */
  readonly hasOwnPages: (host: string) => boolean;
}

/** Values by slot. */
type Slots = (string | undefined)[];

/** What one walk over the fields finds. */
interface Fields {
  readonly slots: Slots;
  readonly passed: string[];
  readonly credentials: readonly (readonly [string, string])[];
  readonly forwarded: ForwardedFields;
}

/** Fields that Connection may nominate: no decision rests on them. */
const harmlessKinds: ReadonlySet<FieldRule['kind']> = new Set(['drop', 'forwarded', 'cookie']);

const noSlots: readonly undefined[] = Array.from({ length: slotCount }, () => undefined);
const nothingForwarded: ForwardedFields = { for: null, proto: null, host: null };
const noCredentials: readonly (readonly [string, string])[] = [];

/**
 * Reads a request head so strictly that whatever passes means the same to every backend:
 * singletons stand once, framing is unambiguous (RFC 9112 section 6), the target is origin-form
 * or absolute-form on our own host, and no identity or forwarding field survives.
 */
export function readHead(inbound: Inbound, deps: HeadReaderDeps): RequestHead | Denial {
  const { method, target } = inbound;
  if (!inbound.exactLine) return deny('malformed_request', 'request line');
  if (inbound.httpVersion !== '1.1' && inbound.httpVersion !== '1.0')
    return deny('malformed_request', 'http version');
  if (method === 'TRACE' || method === 'CONNECT') return deny('method_refused', 'trace or connect');
  if (target.length > targetBytesMax) return deny('target_too_long', 'target length');
  // Besides the words themselves a request line has 12 bytes, the empty line 2.
  const fieldBytesMax = headBytesMax - method.length - target.length - 14;
  const fields = readFields(inbound.rawHeaders, fieldBytesMax, deps.rules);
  if ('kind' in fields) return fields;
  const { slots, forwarded } = fields;
  const client = deps.clientSide.read(inbound.peerAddress, inbound.tls, forwarded);
  const received = slots[slot.host]?.toLowerCase();
  if (received === undefined || !isAuthority(received)) return deny('malformed_host', 'host field');
  const host = client.host === null ? received : client.host.toLowerCase();
  if (client.host !== null && !isAuthority(host)) return deny('malformed_host', 'forwarded host');
  const split = splitTarget(target, received);
  if (typeof split !== 'string') return split;
  const mark = split.indexOf('?');
  const rawPath = mark === -1 ? split : split.slice(0, mark);
  const query = mark === -1 ? '' : split.slice(mark + 1);
  if (!isVisible(query)) return deny('malformed_target', 'query characters');
  const path = canonicalPath(rawPath);
  if (typeof path !== 'string') return deny('malformed_target', path.detail);
  const body = readFraming(slots, inbound.httpVersion);
  if (typeof body === 'object') return body;
  const expect = slots[slot.expect];
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return deny('expectation_failed', 'expect field');
  }
  const passed = dropNominated(slots[slot.connection], fields.passed, deps.rules);
  if ('kind' in passed) return passed;
  return {
    kind: 'head',
    method,
    path,
    rawPath,
    query,
    host,
    scheme: client.scheme,
    clientAddress: client.address,
    forwardedFor: client.forwardedFor,
    authorization: slots[slot.authorization] ?? null,
    destination: slots[slot.destination] ?? null,
    ifHeader: slots[slot.if] ?? null,
    depth: slots[slot.depth] ?? null,
    overwrite: slots[slot.overwrite] ?? null,
    methodOverride: slots[slot.methodOverride] ?? null,
    uploadMetadata: slots[slot.uploadMetadata] ?? null,
    contentType: slots[slot.contentType] ?? null,
    contentEncoding: slots[slot.contentEncoding] ?? null,
    userAgent: slots[slot.userAgent] ?? null,
    referer: slots[slot.referer] ?? null,
    body,
    credentialFields: fields.credentials,
    besideOwnPages: deps.hasOwnPages(host),
    passed,
  };
}

/** Walks the fields once: refuses doubled singletons, strips, sorts the rest. */
function readFields(rawHeaders: readonly string[], bytesMax: number, rules: FieldRules): Fields | Denial {
  if (rawHeaders.length > fieldsMax * 2) return deny('head_too_large', 'field count');
  const slots: Slots = noSlots.slice();
  const passed: string[] = [];
  let credentials = noCredentials;
  let forwarded = nothingForwarded;
  let bytes = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    bytes += name.length + value.length + 4;
    const rule = rules.ruleOf(name);
    if (rule === null) {
      passed.push(name, value);
      continue;
    }
    switch (rule.kind) {
      case 'drop':
        break;
      case 'once':
        if (slots[rule.slot] !== undefined) return deny('duplicate_header', rule.name);
        slots[rule.slot] = value;
        if (rule.pass) passed.push(name, value);
        break;
      case 'list': {
        const earlier = slots[rule.slot];
        slots[rule.slot] = earlier === undefined ? value : `${earlier},${value}`;
        break;
      }
      case 'credential':
        if (credentials.some(([known]) => known === rule.name)) {
          return deny('duplicate_header', 'credential field');
        }
        credentials = [...credentials, [rule.name, value]];
        break;
      case 'cookie': {
        const others = withoutOwnCookies(value);
        if (others !== '') passed.push(name, others ?? value);
        break;
      }
      case 'forwarded': {
        const earlier = forwarded[rule.slot];
        // Only the address chain is a list; two hosts or schemes are no statement at all.
        const joined = earlier === null ? value : rule.slot === 'for' ? `${earlier},${value}` : '';
        forwarded = { ...forwarded, [rule.slot]: joined };
        break;
      }
      default:
        rule satisfies never;
    }
  }
  if (bytes > bytesMax) return deny('head_too_large', 'head bytes');
  return { slots, passed, credentials, forwarded };
}

/** RFC 9112 section 6: the one way in which this body ends, or a refusal. */
function readFraming(slots: Slots, httpVersion: string): RequestHead['body'] | Denial {
  const coding = slots[slot.transferEncoding];
  const length = slots[slot.contentLength];
  if (coding !== undefined) {
    if (length !== undefined || httpVersion === '1.0' || coding.toLowerCase() !== 'chunked') {
      return deny('malformed_request', 'transfer coding');
    }
    return 'chunked';
  }
  if (length === undefined) return 'none';
  if (!/^[0-9]{1,15}$/.test(length)) return deny('malformed_request', 'content length');
  const bytes = Number(length);
  return bytes === 0 ? 'none' : bytes;
}

/**
 * Removes what Connection nominates as hop by hop (RFC 9110 section 7.6.1). A nominated field that
 * decisions rest on is refused: dropping it after deciding would change what the request means.
 */
function dropNominated(
  connection: string | undefined,
  passed: readonly string[],
  rules: FieldRules,
): readonly string[] | Denial {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return passed;
  const nominated = new Set<string>();
  for (const token of connection.split(',')) {
    const name = token.trim().toLowerCase();
    if (name === '' || name === 'close' || name === 'keep-alive' || name === 'upgrade') continue;
    const rule = rules.ruleOf(name);
    if (rule !== null && !harmlessKinds.has(rule.kind)) {
      return deny('malformed_request', 'connection nominates a field that matters');
    }
    nominated.add(name);
  }
  if (nominated.size === 0) return passed;
  const kept: string[] = [];
  for (let at = 0; at < passed.length; at += 2) {
    const name = passed[at] as string;
    if (!nominated.has(name.toLowerCase())) kept.push(name, passed[at + 1] as string);
  }
  return kept;
}

/** Path and query of the target, or a refusal (RFC 9112 section 3.2). */
function splitTarget(target: string, host: string): string | Denial {
  // Path and query are looked at character by character when they are apart.
  if (target.charCodeAt(0) === 0x2f) return target;
  const absolute = /^https?:\/\/([^/?]*)([/?].*)?$/i.exec(target);
  if (absolute === null) return deny('malformed_target', 'target form');
  if (absolute[1]?.toLowerCase() !== host) return deny('misdirected', 'absolute target');
  const rest = absolute[2] ?? '/';
  return rest.startsWith('?') ? `/${rest}` : rest;
}

/** Visible ASCII without the two characters that no URI has: `#` and `\`. */
function isVisible(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === 0x23 || code === 0x5c) return false;
  }
  return true;
}

const authority = /^(?:[a-z0-9_](?:[a-z0-9._-]{0,253})|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/;

/** RFC 9110 section 7.2: whether this, in lower case, is a host with an optional port; no list, no user information. */
export function isAuthority(lowerHost: string): boolean {
  return authority.test(lowerHost);
}
