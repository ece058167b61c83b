import type { Recorder } from '../gateway/record.ts';
import { faults } from '../core/errors.ts';
import type { AccessLog } from '../telemetry/access-log.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Hands each request's record to metrics and access log. `accessLog` null: no lines. */
export function createRecorder(metrics: Metrics, accessLog: AccessLog | null, log: Log): Recorder {
  return {
    begin: () => metrics.requestStarted(),
    record(record) {
      const { outcome, scheme, tier, reason } = record;
      metrics.requestFinished(record);
      const throttled = outcome === 'too_many_failures';
      const refused = outcome === 'unauthenticated' || throttled;
      if (throttled) metrics.rateLimited();
      if (refused || record.userName !== null) {
        metrics.auth({
          scheme,
          result: refused ? (reason ?? 'unknown') : 'ok',
          tier,
          durationMs: record.decisionMs,
        });
      }
      if (Object.hasOwn(faults, outcome)) metrics.upstreamError(outcome as keyof typeof faults);
      accessLog?.record(record);
    },
    fault(requestId, error) {
      log.error({ requestId, error }, 'request failed');
    },
  };
}
