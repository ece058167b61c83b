import type { Inbound } from '../core/decision.ts';
import { faults } from '../core/errors.ts';
import { methodAction } from '../core/method.ts';
import type { RequestSpan, RequestSpans, SpanStart } from '../telemetry/request-span.ts';
import { tokenPrefix } from '../tokens/mint.ts';
import type { ClientSideReader } from './client-side.ts';
import type { Decision } from './decide.ts';
import { isAuthority } from './read-head.ts';
import type { RequestRecord } from './record.ts';

/** What tracing a request needs. */
export interface TraceDeps {
  /** Null: requests are not traced. */
  readonly spans: RequestSpans | null;
  readonly clientSide: ClientSideReader;
}

/** The fields of W3C Trace Context, which our own take the place of. */
export const traceFields: readonly string[] = ['traceparent', 'tracestate'];

/** What of a request a span is made of. */
type Arrived = Pick<Inbound, 'method' | 'rawHeaders' | 'httpVersion' | 'peerAddress' | 'tls'>;

/**
 * Begins the span of a request, null where none is made. Only of clients in `trustedProxies` the trace goes on; anybody
 * else could join, or steer the sampling of, traces that are none of theirs.
 */
export function beginSpan(
  arrived: Arrived,
  requestId: string,
  { spans, clientSide }: TraceDeps,
): RequestSpan | null {
  if (spans === null) return null;
  const { method, peerAddress, tls, rawHeaders, httpVersion } = arrived;
  const client = clientSide.read(peerAddress, tls, {
    for: null,
    proto: only(rawHeaders, 'x-forwarded-proto'),
    host: only(rawHeaders, 'x-forwarded-host'),
  });
  const host = (client.host ?? only(rawHeaders, 'host'))?.toLowerCase() ?? '';
  return spans.begin({
    method: isKnown(method) ? method : '_OTHER',
    scheme: client.scheme,
    host: isAuthority(host) && !host.includes(tokenPrefix) ? host : null,
    httpVersion,
    requestId,
    parent: clientSide.trusts(peerAddress) ? parentOf(rawHeaders) : null,
  });
}

/** Ends a span with what was recorded of its request. */
export function endSpan(
  span: RequestSpan | null,
  { status, outcome }: Pick<RequestRecord, 'status' | 'outcome'>,
  decision: Decision | null,
): void {
  if (span === null) return;
  const route = decision?.route ?? null;
  span.end({
    route: route && { name: route.name, path: route.match.path },
    status,
    outcome,
    errorType: Object.hasOwn(faults, outcome) ? outcome : status >= 500 ? String(status) : null,
  });
}

/** HTTP, WebDAV and CalDAV; nothing is allowed to do CONNECT and TRACE, which are known nevertheless. */
function isKnown(method: string): boolean {
  return methodAction(method) !== 'unbounded' || method === 'CONNECT' || method === 'TRACE';
}

function parentOf(rawHeaders: readonly string[]): SpanStart['parent'] {
  const traceparent = only(rawHeaders, 'traceparent');
  if (traceparent === null) return null;
  return { traceparent, tracestate: valuesOf(rawHeaders, 'tracestate').join(',') };
}

/** The value of a field that stands once; null for none, and for several, which say nothing. */
function only(rawHeaders: readonly string[], lowerName: string): string | null {
  const values = valuesOf(rawHeaders, lowerName);
  return values.length === 1 ? (values[0] ?? null) : null;
}

function valuesOf(rawHeaders: readonly string[], lowerName: string): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === lowerName);
}
