import { Fault, isBackendFault } from '../core/errors.ts';
import type { Recorder } from '../gateway/record.ts';
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
      if (outcome === 'too_many_requests') metrics.tokenRequestRefused();
      if (refused || record.userName !== null) {
        metrics.auth({
          scheme,
          result: refused ? (reason ?? 'unknown') : 'ok',
          tier,
          durationMs: record.decisionMs,
        });
      }
      // Faults of the store or of ours are told by status and log.
      if (isBackendFault(outcome)) metrics.upstreamError(outcome);
      accessLog?.record(record);
    },
    fault(requestId, error, route) {
      if (!(error instanceof Fault) || error.code === 'internal') {
        log.error({ requestId, route, error }, 'request failed');
        return;
      }
      // Expected: where it was thrown says nothing, and backends fail by the thousand.
      const { code, message, cause } = error;
      const fields = { requestId, route, fault: code, reason: message };
      log.warn({ ...fields, cause: codeOf(cause), advice: adviceFor(error) }, 'request failed');
    },
  };
}

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}

/** The operator's next step, or undefined where the message says it. */
function adviceFor(fault: Fault): string | undefined {
  const cause = codeOf(fault.cause) ?? '';
  if (/ALTNAME/.test(cause)) {
    return 'name the backend in `backend` by a name that its certificate holds';
  }
  if (/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/.test(cause)) {
    return "renew the backend's certificate, and compare the clocks";
  }
  if (/CERT|UNABLE_TO_VERIFY/.test(cause)) {
    return 'name the authority that signed its certificate: `backendCa: {fromFile: PATH}` of this route';
  }
  if (/EPROTO|_SSL_/.test(cause)) {
    return 'compare `http://` or `https://` in `backend` with what the backend speaks there';
  }
  if (fault.code === 'backend_refused_credentials') return 'correct `backendAuth` of this route';
  return isBackendFault(fault.code) ? '`latchkey doctor` looks at every backend' : undefined;
}
