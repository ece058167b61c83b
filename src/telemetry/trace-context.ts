import type { SpanContext } from '@opentelemetry/api';

/** What of a `traceparent` names the span that asked. */
export type TraceParent = Pick<SpanContext, 'traceId' | 'spanId' | 'traceFlags'>;

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** W3C Trace Context section 3.2: the parent, or null where the value is none. Of the flags, `sampled` alone is kept. */
export function parseTraceparent(value: string): TraceParent | null {
  const [, version, traceId, spanId, flags, rest] = shape.exec(value) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined)
    return null;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}

/** The fields that carry this context on, flat: `traceparent`, and `tracestate` where there is one. */
export function contextFields({ traceId, spanId, traceFlags, traceState }: SpanContext): readonly string[] {
  const flags = (traceFlags & 1) === 1 ? '01' : '00';
  const fields = ['traceparent', `00-${traceId}-${spanId}-${flags}`];
  const state = traceState?.serialize() ?? '';
  return state === '' ? fields : [...fields, 'tracestate', state];
}
