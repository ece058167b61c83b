import type { RequestSpan } from '../telemetry/request-span.ts';
import { tokenPrefix } from '../tokens/mint.ts';
import type { AssertionSigner } from './assertion.ts';
import type { Allowed } from './decide.ts';
import { rewriteIf } from './if-header.ts';
import type { Addresses } from './response-head.ts';

/** What a rewritten request needs to know of the backend chosen for it. */
interface Target {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
}

/** Path and query for a backend: the bytes as they came, without any credential. */
export function backendTarget({ head, query }: Allowed): string {
  return query === '' ? head.rawPath : `${head.rawPath}?${query}`;
}

/** The assertion for a backend; null where the route sends none. Rejects with what signing throws. */
export function assertionFor(
  { route, principal }: Allowed,
  signer: Pick<AssertionSigner, 'sign'>,
): string | null | Promise<string> {
  return route.config.identity.assertion === null ? null : signer.sign(principal, route.name);
}

/** The Host that a backend is sent. */
export function hostFor(allowed: Allowed, backend: Target): string {
  const { host } = allowed.route.config;
  if (host === 'preserve') return allowed.head.host;
  return host === 'backend' ? backend.authority : host;
}

/**
 * The header fields for the backend: what the client may say, then what the gateway says. The
 * client's credential, hop-by-hop and identity fields were left behind when the head was read. `span` null: not traced.
 */
export function backendFields(
  allowed: Allowed,
  backend: Target,
  requestId: string,
  assertion: string | null,
  span: Pick<RequestSpan, 'context'> | null = null,
): string[] {
  const { head, route, principal, permit } = allowed;
  const host = hostFor(allowed, backend);
  const fields = head.passed.slice();
  fields.push(
    'Host',
    host,
    'X-Forwarded-For',
    head.forwardedFor,
    'X-Forwarded-Proto',
    head.scheme,
    'X-Forwarded-Host',
    head.host,
    'X-Request-Id',
    requestId,
  );
  if (span !== null) fields.push(...span.context);
  for (const identity of route.identity) fields.push(identity.name, identity.render(principal));
  if (assertion !== null && route.config.identity.assertion !== null) {
    fields.push(route.config.identity.assertion, assertion);
  }
  const authorization = route.backendAuthorization(principal.userName);
  if (authorization !== null) fields.push('Authorization', authorization);
  if (permit.destination !== null || permit.ifHeader !== null) {
    const origin = believedOrigin(allowed, backend, host);
    if (permit.destination !== null) fields.push('Destination', origin + permit.destination.rawPath);
    if (permit.ifHeader !== null) fields.push('If', rewriteIf(permit.ifHeader, origin));
  }
  const referer =
    head.referer === null ? null : harmlessReferer(head.referer, route.accepted.queries.length > 0);
  if (referer !== null) fields.push('Referer', referer);
  return fields;
}

/**
 * Destination and If for a backend to which another proxy forwards: as `backendOrigin` says where it is set, as they came
 * where it is not. Neither where the request has none that counts.
 */
export function relatedFields({ head, route, permit }: Allowed): readonly string[] {
  const { destination, ifHeader } = permit;
  if (destination === null && ifHeader === null) return [];
  const origin = route.config.backendOrigin?.replace(/\/$/, '') ?? null;
  const fields: string[] = [];
  if (destination !== null && head.destination !== null) {
    fields.push('Destination', origin === null ? head.destination : origin + destination.rawPath);
  }
  if (ifHeader !== null) fields.push('If', origin === null ? ifHeader.text : rewriteIf(ifHeader, origin));
  return fields;
}

/** How URLs in the backend's response map back to what the client knows. */
export function responseAddresses(allowed: Allowed, backend: Target): Addresses {
  const host = hostFor(allowed, backend);
  const { backendOrigin } = allowed.route.config;
  const authorities = [host.toLowerCase(), backend.authority.toLowerCase()];
  if (backendOrigin !== null) authorities.push(new URL(backendOrigin).host);
  const { scheme, host: clientHost, besideOwnPages } = allowed.head;
  return {
    backendAuthorities: authorities,
    clientOrigin: `${scheme}://${clientHost}`,
    besideOwnPages,
  };
}

/** RFC 4918 section 10.3: mod_dav compares scheme and host of Destination with its own. */
function believedOrigin(allowed: Allowed, backend: Target, host: string): string {
  const { backendOrigin } = allowed.route.config;
  if (backendOrigin !== null) return backendOrigin.replace(/\/$/, '');
  return `${backend.scheme}://${host}`;
}

/** A page reached with a credential in its query, or in its authority, must not hand it on: what is left, or null. */
export function harmlessReferer(referer: string, queryCredentials: boolean): string | null {
  const mark = referer.indexOf('?');
  const holdsEscape = mark !== -1 && referer.includes('%', mark);
  const suspect = queryCredentials || referer.includes(tokenPrefix) || holdsEscape;
  const kept = suspect && mark !== -1 ? referer.slice(0, mark) : referer;
  return kept.includes(tokenPrefix) ? null : kept;
}
