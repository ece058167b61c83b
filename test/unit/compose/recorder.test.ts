import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecorder } from '../../../src/compose/recorder.ts';
import { Fault } from '../../../src/core/errors.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { Log, LogFields } from '../../../src/telemetry/log.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

interface Line {
  readonly level: keyof Log;
  readonly fields: LogFields;
}

function faultLine(error: unknown): Line {
  const lines: Line[] = [];
  const at =
    (level: keyof Log) =>
    (fields: LogFields): void =>
      void lines.push({ level, fields });
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const sources = {
    tokens: () => Promise.resolve({ active: 0, disabled: 0, expired: 0, revoked: 0 }),
    feeds: () => [],
    cachesTrusted: () => true,
    redisUp: () => null,
    connections: () => ({ open: 0, refused: {} }),
    tls: () => null,
    logLinesDropped: () => 0,
  };
  const metrics = createMetrics({ version: '0', clock: systemClock, sources });
  createRecorder(metrics, null, log).fault('r1', error, 'files');
  assert.equal(lines.length, 1);
  return lines[0] as Line;
}

function backendFault(code: string): Fault {
  return new Fault(
    'backend_unreachable',
    `https://files.internal: ${code}`,
    Object.assign(new Error('x'), { code }),
  );
}

test('a failing backend is a warning with route, place and next step, and without a stack', () => {
  assert.deepEqual(faultLine(backendFault('ECONNREFUSED')), {
    level: 'warn',
    fields: {
      requestId: 'r1',
      route: 'files',
      fault: 'backend_unreachable',
      reason: 'https://files.internal: ECONNREFUSED',
      cause: 'ECONNREFUSED',
      advice: '`latchkey doctor` looks at every backend',
    },
  });
});

for (const [code, advice] of [
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /backendCa/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /backendCa/],
  ['EPROTO', /what the backend speaks there/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /a name that its certificate holds/],
  ['CERT_HAS_EXPIRED', /renew/],
] as const) {
  test(`a certificate that ends in ${code} is told with what to do about it`, () => {
    assert.match(String(faultLine(backendFault(code)).fields['advice']), advice);
  });
}

test('refused credentials of the gateway name their key', () => {
  const { level, fields } = faultLine(new Fault('backend_refused_credentials', 'http://b answered 401'));
  assert.equal(level, 'warn');
  assert.match(String(fields['advice']), /backendAuth/);
});

test('what is broken in the gateway itself is an error with its stack', () => {
  for (const error of [new Fault('internal', 'no way'), new TypeError('a bug')]) {
    assert.deepEqual(faultLine(error), {
      level: 'error',
      fields: { requestId: 'r1', route: 'files', error },
    });
  }
});
