import type { Attributes, Context, Tracer, TracerProvider } from '@opentelemetry/api';
import { Fault } from '../core/errors.ts';
import type { Log } from './log.ts';
import type { RequestSpan, RequestSpans, SpanEnd, SpanStart } from './request-span.ts';
import { contextFields, parseTraceparent } from './trace-context.ts';

type Api = typeof import('@opentelemetry/api');

/** What tracing needs. */
export interface TracingDeps {
  readonly version: string;
  readonly log: Pick<Log, 'warn'>;
  /** Loads the package that the operator brings. */
  readonly load: () => Promise<Api>;
}

/** Loads `@opentelemetry/api`. Rejects where it is not installed. */
export const loadOpenTelemetry = (): Promise<Api> => import('@opentelemetry/api');

/** The scope of our spans, as receivers show it. */
const scopeName = 'latchkey';
const off = 'or set tracing.enabled to false';

/**
 * Spans by the SDK that the operator has registered, named and described by the stable semantic conventions of HTTP.
 * @throws {Fault} where the package is not installed, or no SDK is registered.
 */
export async function openTracing({ version, log, load }: TracingDeps): Promise<RequestSpans> {
  const api = await loadApi(load);
  const provider = api.trace.getTracerProvider();
  if (!isRegistered(provider)) {
    const advice = 'let NODE_OPTIONS=--import=FILE name a file that registers one (docs/tracing.md)';
    throw new Fault('internal', `tracing.enabled: no OpenTelemetry SDK is registered: ${advice}, ${off}.`);
  }
  const tracer = provider.getTracer(scopeName, version);
  const failed = warnOnce(log);
  return {
    begin(start) {
      try {
        return beginSpan(api, tracer, start, failed);
      } catch (error) {
        failed(error);
        return null;
      }
    },
  };
}

async function loadApi(load: TracingDeps['load']): Promise<Api> {
  try {
    return await load();
  } catch (error) {
    const advice = `install it where latchkey is installed, ${off}`;
    throw new Fault(
      'internal',
      `tracing.enabled: the package @opentelemetry/api cannot be loaded: ${advice}.`,
      error,
    );
  }
}

/** Without an SDK there is a stand-in alone, which knows nobody to ask. */
function isRegistered(provider: TracerProvider): boolean {
  const standIn = provider as Partial<Record<'getDelegateTracer', (name: string) => Tracer | undefined>>;
  return standIn.getDelegateTracer === undefined || standIn.getDelegateTracer(scopeName) !== undefined;
}

function beginSpan(
  api: Api,
  tracer: Tracer,
  start: SpanStart,
  failed: (error: unknown) => void,
): RequestSpan {
  const method = start.method === '_OTHER' ? 'HTTP' : start.method;
  // Whatever else is active in this process is no part of this request.
  const span = tracer.startSpan(
    method,
    { kind: api.SpanKind.SERVER, attributes: startAttributes(start) },
    parentContext(api, start.parent),
  );
  const spanContext = span.spanContext();
  return {
    context: api.isSpanContextValid(spanContext) ? contextFields(spanContext) : [],
    end(end) {
      try {
        if (end.route !== null) span.updateName(`${method} ${end.route.path}`);
        span.setAttributes(endAttributes(end));
        // A refusal is the client's own: the conventions leave the status of a server's span unset for it.
        if (end.errorType !== null) span.setStatus({ code: api.SpanStatusCode.ERROR });
        span.end();
      } catch (error) {
        failed(error);
      }
    },
  };
}

function parentContext(api: Api, parent: SpanStart['parent']): Context {
  const asked = parent && parseTraceparent(parent.traceparent);
  if (parent === null || asked === null) return api.ROOT_CONTEXT;
  const state = parent.tracestate === '' ? {} : { traceState: api.createTraceState(parent.tracestate) };
  return api.trace.setSpanContext(api.ROOT_CONTEXT, { ...asked, ...state, isRemote: true });
}

function startAttributes({ method, scheme, host, httpVersion, requestId }: SpanStart): Attributes {
  const [, bracketed, name, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(host ?? '') ?? [];
  const address = bracketed ?? name ?? '';
  return {
    'http.request.method': method,
    'url.scheme': scheme,
    ...(address === '' ? {} : { 'server.address': address }),
    ...(address === '' || port === undefined ? {} : { 'server.port': Number(port) }),
    'network.protocol.version': httpVersion === '2.0' ? '2' : httpVersion,
    'latchkey.request_id': requestId,
  };
}

function endAttributes({ route, status, outcome, errorType }: SpanEnd): Attributes {
  return {
    ...(route === null ? {} : { 'http.route': route.path, 'latchkey.route': route.name }),
    ...(status === 0 ? {} : { 'http.response.status_code': status }),
    ...(errorType === null ? {} : { 'error.type': errorType }),
    'latchkey.outcome': outcome,
  };
}

/** An SDK that fails does so at every request: once is enough to know. */
function warnOnce(log: Pick<Log, 'warn'>): (error: unknown) => void {
  let warned = false;
  return (error) => {
    if (warned) return;
    warned = true;
    log.warn({ error }, 'the OpenTelemetry SDK failed at a span: requests go on without');
  };
}
