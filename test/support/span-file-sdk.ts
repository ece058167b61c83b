/**
 * Loaded before the gateway (`node --import`), as operators load theirs: an OpenTelemetry SDK that appends each finished
 * span, one JSON line, to the file that TEST_SPAN_FILE names.
 */
import { appendFileSync } from 'node:fs';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';

const file = process.env['TEST_SPAN_FILE'] ?? '';
const writer: SpanProcessor = {
  onStart: () => undefined,
  onEnd(span) {
    const { name, kind, status, attributes, events, links, parentSpanContext: parent } = span;
    const { traceId, spanId, traceState } = span.spanContext();
    const line = {
      ...{ name, kind, status, attributes, traceId, spanId, events, links: links.length },
      traceState: traceState?.serialize() ?? null,
      parent: parent === undefined ? null : { spanId: parent.spanId, isRemote: parent.isRemote },
    };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [writer] }));
