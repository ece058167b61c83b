import type { AccessRecord } from '../telemetry/access-log.ts';
import type { Scheme } from './credential.ts';
import type { Decision } from './decide.ts';

/** What is known of a request when it is over: its access line, and what the metrics count besides. */
export interface RequestRecord extends AccessRecord {
  readonly scheme: Scheme;
}

/** Takes every request's record, always, exactly once. Must not throw. */
export interface Recorder {
  begin(): void;
  record(record: RequestRecord): void;
  /** A fault worth a log line of its own; `route` is null where it came before one was found. */
  fault(requestId: string, error: unknown, route: string | null): void;
}

/** The part of a record that a decision knows; `decision` null where it failed. */
export function whoAndWhere(
  decision: Decision | null,
  peerAddress: string,
): Pick<RequestRecord, 'route' | 'scheme' | 'tier' | 'userName' | 'tokenId' | 'clientAddress'> {
  const principal = decision?.kind === 'allow' ? decision.principal : (decision?.denial.principal ?? null);
  return {
    route: decision?.route?.name ?? null,
    scheme: decision?.scheme ?? 'none',
    tier: decision?.tier ?? 'none',
    userName: principal?.userName ?? null,
    tokenId: principal?.tokenId ?? null,
    clientAddress: decision?.clientAddress ?? peerAddress,
  };
}

/** How a request ended on which nothing was decided: refused before, or one of our own pages. */
export type UndecidedEnd = Pick<
  RequestRecord,
  'requestId' | 'method' | 'status' | 'outcome' | 'reason' | 'bytesOut'
>;

/** The record of a request that is not on its way to a backend. */
export function undecidedRecord(peerAddress: string, end: UndecidedEnd): RequestRecord {
  return {
    ...whoAndWhere(null, peerAddress),
    ...end,
    bytesIn: 0,
    durationMs: 0,
    decisionMs: 0,
    backendMs: 0,
  };
}
