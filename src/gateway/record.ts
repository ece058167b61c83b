import type { DenialCode, FaultCode } from '../core/errors.ts';
import type { TokenId } from '../core/ids.ts';
import type { Tier } from '../tokens/verification.ts';
import type { Scheme } from './credential.ts';
import type { Decision } from './decide.ts';

/** What is known of a request when it is over. Holds no path, query or secret. */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  /** Null where no route matched. */
  readonly route: string | null;
  /** The status the client got; 0 where it got none. */
  readonly status: number;
  readonly outcome: 'ok' | 'aborted' | DenialCode | FaultCode;
  /** Which check refused, or what failed; null otherwise. */
  readonly reason: string | null;
  readonly scheme: Scheme;
  readonly tier: Tier;
  readonly userName: string | null;
  readonly tokenId: TokenId | null;
  readonly clientAddress: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  /** Until the decision was known. */
  readonly decisionMs: number;
  /** Until the backend's response head came; 0 where it was not asked. */
  readonly backendMs: number;
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
