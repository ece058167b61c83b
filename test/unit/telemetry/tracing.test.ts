import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Fault } from '../../../src/core/errors.ts';
import type { SpanStart } from '../../../src/telemetry/request-span.ts';
import { loadOpenTelemetry, openTracing, type TracingDeps } from '../../../src/telemetry/tracing.ts';

const start: SpanStart = {
  method: 'GET',
  scheme: 'https',
  host: '[2001:db8::1]:8443',
  httpVersion: '2.0',
  requestId: 'r1',
  parent: null,
};

describe('tracing', () => {
  const warnings: string[] = [];
  const deps: TracingDeps = {
    version: '1',
    log: { warn: (_, message) => void warnings.push(message) },
    load: loadOpenTelemetry,
  };
  afterEach(() => {
    trace.disable();
    warnings.length = 0;
  });

  /** Registers an SDK that hands its spans to this processor. */
  const register = (processor: Partial<SpanProcessor>): void => {
    const whole: SpanProcessor = {
      onStart: () => undefined,
      onEnd: () => undefined,
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
      ...processor,
    };
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [whole] }));
  };

  test('a package that is not there is a fault that says what to install', async () => {
    const load = (): Promise<never> => Promise.reject(new Error('Cannot find package'));
    await assert.rejects(
      openTracing({ ...deps, load }),
      (error) =>
        error instanceof Fault && /@opentelemetry\/api cannot be loaded: install it/.test(error.message),
    );
  });

  test('an SDK that is not there is a fault that says how to register one', async () => {
    await assert.rejects(
      openTracing(deps),
      (error) => error instanceof Fault && /no OpenTelemetry SDK is registered/.test(error.message),
    );
  });

  test('addresses of IPv6 are named without brackets, HTTP/2 as 2', async () => {
    const ended: Readonly<Record<string, unknown>>[] = [];
    register({ onEnd: ({ attributes }) => void ended.push(attributes) });
    const span = (await openTracing(deps)).begin(start);
    span?.end({ route: null, status: 0, outcome: 'aborted', errorType: null });
    assert.deepEqual(ended, [
      {
        'http.request.method': 'GET',
        'latchkey.outcome': 'aborted',
        'latchkey.request_id': 'r1',
        'network.protocol.version': '2',
        'server.address': '2001:db8::1',
        'server.port': 8443,
        'url.scheme': 'https',
      },
    ]);
  });

  test('an SDK that throws costs spans and one line of the log, never a request', async () => {
    const broken = (): never => {
      throw new Error('broken');
    };
    register({ onStart: broken });
    const spans = await openTracing(deps);
    assert.equal(spans.begin(start), null);
    assert.equal(spans.begin(start), null);
    assert.deepEqual(warnings, ['the OpenTelemetry SDK failed at a span: requests go on without']);
    trace.disable();
    register({ onEnd: broken });
    const span = (await openTracing(deps)).begin(start);
    assert.doesNotThrow(() => span?.end({ route: null, status: 200, outcome: 'ok', errorType: null }));
    assert.equal(warnings.length, 2);
  });
});
