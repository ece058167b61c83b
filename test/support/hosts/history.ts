/** What happened in a run, as clients and the fault driver write it down. Times are `machineMs`. */

/** A token as far as a use can tell, and its owner. */
export interface TokenState {
  /** Counts its values: 0 is the first, and every regeneration makes the next. */
  readonly generation: number;
  readonly enabled: boolean;
  /** Whether its scopes let it write; they always let it read. */
  readonly writes: boolean;
  readonly revoked: boolean;
  readonly ownerEnabled: boolean;
}

/** What clients change about a token. */
export type ChangeKind =
  | 'mint'
  | 'revoke'
  | 'disable'
  | 'enable'
  | 'narrow'
  | 'widen'
  | 'regenerate'
  | 'shut owner out'
  | 'let owner in';

/** A change of one token, tried until it was confirmed. A token's changes never overlap. */
export interface ChangeEvent {
  readonly kind: 'change';
  readonly token: string;
  readonly what: ChangeKind;
  /** What it sets; a mint sets everything. */
  readonly to: Partial<TokenState>;
  readonly startedAt: number;
  /** When a call that confirmed it had returned; null where none did before the run ended. */
  readonly endedAt: number | null;
}

/** What became of a use. */
export type UseOutcome =
  /** The backend answered. */
  | 'allowed'
  /** 401 or 429. */
  | 'refused'
  /** 403. */
  | 'forbidden'
  /** 5xx. */
  | 'fault'
  /** No answer, or none in time. */
  | 'silent';

/** One request with a token. */
export interface UseEvent {
  readonly kind: 'use';
  readonly token: string;
  /** Which of its values was sent. */
  readonly generation: number;
  readonly way: 'read' | 'write';
  readonly gateway: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: UseOutcome;
}

/** One request to the API or one command, whatever it was for. */
export interface CallEvent {
  readonly kind: 'call';
  readonly what: ChangeKind | 'read' | 'make user';
  readonly by: 'api' | 'command';
  readonly gateway: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: 'done' | 'refused' | 'fault' | 'silent';
}

/** A token as the API of a gateway or the store itself showed it. */
export interface SeenEvent {
  readonly kind: 'seen';
  readonly token: string;
  readonly where: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Null: there is none. */
  readonly state: Partial<TokenState> | null;
}

/** Something the driver broke and healed. */
export interface FaultEvent {
  readonly kind: 'fault';
  /** Such as `kill`. */
  readonly what: string;
  /** Such as `gw1 to pg`. */
  readonly target: string;
  readonly startedAt: number;
  /** When everything that it had broken was mended or running again. */
  readonly endedAt: number;
}

/** One line of a history. */
export type HistoryEvent = ChangeEvent | UseEvent | CallEvent | SeenEvent | FaultEvent;
