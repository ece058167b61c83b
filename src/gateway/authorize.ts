import { deny, type Denial, type Inbound } from '../core/decision.ts';
import type { DenialCode } from '../core/errors.ts';
import { type MethodAction, methodAction } from '../core/method.ts';
import type { CanonicalPath } from '../core/path.ts';
import type { Principal } from '../core/principal.ts';
import type { AuthorizedRoute } from './authorized-route.ts';
import { parseDestination } from './destination.ts';
import { type ParsedIf, parseIf } from './if-header.ts';
import { type OwnResource, readOwnUrl } from './own-url.ts';
import { type Extent, isAboveScope, type Need, reaches } from './reach.ts';
import { type BodyReach, readReport, readSearch } from './report.ts';
import type { RequestHead } from './request-head.ts';
import { judgeUploadMetadata } from './upload-metadata.ts';
import { isUploadStep } from './upload-session.ts';

/** Yes, with what was learned about the request on the way. */
export interface Permit {
  readonly kind: 'permit';
  /** Where COPY, MOVE or an upload step goes to; null where the method has no use for one. */
  readonly destination: OwnResource | null;
  /** True where a Destination was sent that means nothing here: it must not be forwarded. */
  readonly dropDestination: boolean;
  readonly ifHeader: ParsedIf | null;
  /** The body where it was read to decide, else null: it is forwarded from here. */
  readonly body: Uint8Array | null;
}

/** What authorization needs beyond the request. */
export interface AuthorizeDeps {
  /** The name of the route that serves a path of this host; null where none does. */
  routeNameAt(host: string, path: CanonicalPath): string | null;
  /** Longest REPORT or SEARCH body that is read, bytes. */
  readonly reportBytes: number;
}

/** Where the body is read from, if it has to be. */
export type BodySource = Pick<Inbound, 'readBody'>;

/**
 * Says whether the principal may send this request. Headers that name other resources are read strictly
 * whatever the scopes; a body is read only for a REPORT or SEARCH under narrower scopes than everything.
 * A promise is returned only where a body has to be read; it rejects where the client goes away.
 */
export function authorize(
  head: RequestHead,
  route: AuthorizedRoute,
  principal: Principal,
  source: BodySource,
  deps: AuthorizeDeps,
): Permit | Denial | Promise<Permit | Denial> {
  const request = readRequest(head, route, principal, deps);
  if ('code' in request) return request;
  if (principal.scopes.some((scope) => scope.kind === 'everything')) return request.permit;
  const refused = checkTarget(request) ?? checkRelated(request);
  if (refused !== null) return refused;
  if (request.action !== 'report' && request.action !== 'search') return request.permit;
  return checkBody(request, source, deps.reportBytes);
}

/** A request whose headers have been read. */
interface ReadRequest {
  readonly head: RequestHead;
  readonly route: AuthorizedRoute;
  readonly principal: Principal;
  readonly deps: AuthorizeDeps;
  readonly action: MethodAction;
  /** What X-HTTP-Method-Override asks for; null where it is not sent. */
  readonly override: MethodAction | null;
  /** The chunked-upload folder in which the target lies, or null. */
  readonly uploads: CanonicalPath | null;
  readonly permit: Permit;
}

const plainPermit: Permit = Object.freeze({
  kind: 'permit',
  destination: null,
  dropDestination: false,
  ifHeader: null,
  body: null,
});

function readRequest(
  head: RequestHead,
  route: AuthorizedRoute,
  principal: Principal,
  deps: AuthorizeDeps,
): ReadRequest | Denial {
  const say = (code: DenialCode, reason: string): Denial => deny(code, reason, principal);
  if (route.kind !== 'rest') {
    if (head.depth !== null && !/^(?:0|1|infinity)$/i.test(head.depth))
      return say('malformed_header', 'Depth');
    if (head.overwrite !== null && !/^[TF]$/.test(head.overwrite))
      return say('malformed_header', 'Overwrite');
  }
  const action = methodAction(head.method);
  const override = head.methodOverride === null ? null : methodAction(head.methodOverride.toUpperCase());
  const uploads = route.uploadsAround(head.path, principal.userName);
  const relates = hasDestination(action) || hasDestination(override);
  let permit = plainPermit;
  if (head.destination !== null || head.ifHeader !== null || relates) {
    const ifHeader = head.ifHeader === null ? null : parseIf(head.ifHeader, head.host);
    if (ifHeader === null && head.ifHeader !== null) return say('malformed_if', 'If');
    const wanted = relates || (uploads !== null && head.destination !== null);
    const destination = wanted ? parseDestination(head.destination ?? '', head.host) : null;
    if (wanted && destination === null) return say('malformed_destination', 'Destination');
    permit = { ...plainPermit, destination, ifHeader, dropDestination: head.destination !== null && !wanted };
  }
  return { head, route, principal, deps, action, override, uploads, permit };
}

function hasDestination(action: MethodAction | null): boolean {
  return action === 'copy' || action === 'move';
}

/** The target, under the method sent and under the one that an override asks for. */
function checkTarget(request: ReadRequest): Denial | null {
  const { head, uploads, permit, override, principal } = request;
  const isStep =
    uploads !== null &&
    permit.destination !== null &&
    isUploadStep(head.method, uploads, head.path, head.depth);
  if (!isStep && !mayAct(request, request.action)) return outside(principal, 'target');
  if (override === null) return null;
  // The header is not forwarded, so a body cannot make this safe: it would be read for another method.
  const bounded = override !== 'report' && override !== 'search' && mayAct(request, override);
  return bounded ? null : outside(principal, 'method override');
}

function mayAct(request: ReadRequest, action: MethodAction): boolean {
  switch (action) {
    case 'read':
    case 'report':
    case 'search':
      return may(request, 'read', 'resource');
    case 'copy':
      return may(request, 'read', 'contents');
    case 'options':
      return may(request, 'read', 'resource') || isProbe(request);
    case 'propfind':
      if (request.head.depth !== '0') return may(request, 'read', 'tree');
      return may(request, 'read', 'resource') || isProbe(request);
    case 'write':
      return may(request, 'write', 'resource');
    case 'post':
      if (!may(request, 'write', 'resource')) return false;
      return request.route.kind === 'rest' || may(request, 'read', 'resource');
    case 'replace':
    case 'move':
      return may(request, 'write', 'whole');
    case 'unbounded':
      return false;
    default:
      return action satisfies never;
  }
}

function may({ principal, route, head }: ReadRequest, need: Need, extent: Extent): boolean {
  return reaches(principal, route, head.path, need, extent);
}

/** Clients look at the folders above the one they were given before they open it. */
function isProbe({ head, principal, route }: ReadRequest): boolean {
  return route.kind !== 'rest' && isAboveScope(principal, route, head.path);
}

/** What the headers name besides the target: Destination, If, Upload-Metadata. */
function checkRelated(request: ReadRequest): Denial | null {
  const { permit, principal, head } = request;
  const { destination, ifHeader } = permit;
  if (destination !== null && !mayRelate(request, destination, 'write', 'whole')) {
    return outside(principal, 'Destination');
  }
  for (const tag of ifHeader?.tags ?? []) {
    if (!mayRelate(request, tag, 'either', 'resource')) return outside(principal, 'If tag');
  }
  if (head.uploadMetadata !== null) {
    const verdict = judgeUploadMetadata(head.uploadMetadata);
    if (verdict === 'malformed') return deny('malformed_header', 'Upload-Metadata', principal);
    // Well-formed, but it names a place the URL does not show: a matter of scope, not of syntax.
    if (verdict === 'elsewhere') return outside(principal, 'Upload-Metadata');
  }
  return null;
}

/** Another resource must lie behind the same route: this backend is the one that will act on it. */
function mayRelate(request: ReadRequest, resource: OwnResource, need: Need, extent: Extent): boolean {
  const { deps, head, principal, route } = request;
  if (!reaches(principal, route, resource.path, need, extent)) return false;
  return deps.routeNameAt(head.host, resource.path) === route.name;
}

async function checkBody(
  request: ReadRequest,
  source: BodySource,
  bytesMax: number,
): Promise<Permit | Denial> {
  const { head, principal, action, permit } = request;
  if (!isPlainUtf8(head)) return deny('malformed_body', 'body encoding', principal);
  const body = await source.readBody(bytesMax, principal);
  if (body === null) return deny('body_too_large', 'REPORT or SEARCH body', principal);
  if ('kind' in body) return body;
  const reach = action === 'report' ? readReport(body) : readSearch(body);
  if (reach === null) return deny('malformed_body', 'REPORT or SEARCH body', principal);
  return checkReach(request, reach) ?? { ...permit, body };
}

function checkReach(request: ReadRequest, reach: BodyReach): Denial | null {
  const { head, principal } = request;
  if (reach.of === 'unbounded') return outside(principal, 'report');
  const resources: OwnResource[] = [];
  for (const href of reach.hrefs) {
    const resource = readOwnUrl(href, head.host);
    if (resource === null) return deny('malformed_body', 'href', principal);
    resources.push(resource);
  }
  const deep = reach.of === 'tree' || (head.depth !== null && head.depth !== '0');
  if (deep && !may(request, 'read', 'tree')) return outside(principal, 'report depth');
  const extent = reach.hrefTrees ? 'tree' : 'resource';
  const inside = resources.every((resource) => mayRelate(request, resource, 'read', extent));
  return inside ? null : outside(principal, 'href');
}

/** False where the body is compressed or declared in another character set than it will be read in. */
function isPlainUtf8(head: RequestHead): boolean {
  if (head.contentEncoding !== null && head.contentEncoding.toLowerCase() !== 'identity') return false;
  const contentType = head.contentType ?? '';
  // Servers look for the word anywhere, and differ in which one counts.
  const mentions = contentType.match(/charset/gi)?.length ?? 0;
  if (mentions === 0) return true;
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType)?.[1]?.toLowerCase();
  return mentions === 1 && (charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii');
}

function outside(principal: Principal, reason: string): Denial {
  return deny('outside_scope', reason, principal);
}
