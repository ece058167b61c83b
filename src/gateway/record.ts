import type { DenialCode, FaultCode } from '../core/errors.ts';
import type { TokenId } from '../core/ids.ts';
import type { Tier } from '../tokens/verification.ts';
import type { Scheme } from './credential.ts';

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
