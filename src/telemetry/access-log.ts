import { pino } from 'pino';
import type { Clock } from '../core/clock.ts';
import type { DenialCode, FaultCode } from '../core/errors.ts';
import type { TokenId } from '../core/ids.ts';
import type { LogOutput } from './log-output.ts';

/** How a request ended: forwarded and answered, refused, failed, or given up by the client. */
export type AccessOutcome = 'ok' | DenialCode | FaultCode | 'aborted';

/** One request, for the access log. Deliberately without path, query string and header fields. */
export interface AccessRecord {
  readonly requestId: string;
  readonly method: string;
  /** Route name; null where none matched or the request was refused before. */
  readonly route: string | null;
  /** Status sent to the client; 0 where none was. */
  readonly status: number;
  readonly outcome: AccessOutcome;
  readonly userName: string | null;
  /** Null also where the main password was used. */
  readonly tokenId: TokenId | null;
  readonly clientAddress: string;
  /** Body bytes from the client; of a WebSocket, all behind its handshake. */
  readonly bytesIn: number;
  /** Body bytes to the client; of a WebSocket, all behind the answer to its handshake. */
  readonly bytesOut: number;
  /** Whole request, milliseconds. */
  readonly durationMs: number;
  /** Until allowed or refused. */
  readonly decisionMs: number;
  /** From the forwarded head to the backend's head; 0 where it was not asked. */
  readonly backendMs: number;
  /** Which check refused, or what failed: `revoked`, `target` …; null where all went well. */
  readonly reason: string | null;
  /** Which tier verified the credential. */
  readonly tier: 'none' | 'l1' | 'redis' | 'store';
}

/** Writes one line per request. */
export interface AccessLog {
  /** Takes the record of a finished request; durations are written to the microsecond. Never throws. */
  record(record: AccessRecord): void;
}

/** Where access lines go. */
export interface AccessLogDeps {
  readonly output: LogOutput;
  readonly clock: Clock;
}

/**
 * An access log writing `{"level":"info","time":…,"access":{…}}` lines, whatever the level of the other log.
 */
export function createAccessLog(deps: AccessLogDeps): AccessLog {
  const logger = pino(
    {
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":${deps.clock.now()}`,
    },
    deps.output,
  );
  return {
    // Nested, so that the record is made text by one native call: half the cost of a field at a time.
    record: (record) => logger.info({ access: accessLine(record) }),
  };
}

/** Copies field by field: what else an object may carry never reaches the log. */
function accessLine(record: AccessRecord): AccessRecord {
  return {
    requestId: record.requestId,
    method: record.method,
    route: record.route,
    status: record.status,
    outcome: record.outcome,
    userName: record.userName,
    tokenId: record.tokenId,
    clientAddress: record.clientAddress,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    durationMs: toMicrosecond(record.durationMs),
    decisionMs: toMicrosecond(record.decisionMs),
    backendMs: toMicrosecond(record.backendMs),
    reason: record.reason,
    tier: record.tier,
  };
}

function toMicrosecond(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
