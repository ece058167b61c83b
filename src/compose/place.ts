import type { SharedFailures } from '../tokens/shared-failures.ts';

/** Where a gateway stands that is one worker of several. */
export interface Place {
  /** How many such workers there are, this one included. */
  readonly processes: number;
  /** Whether it does what one of all workers has to do: sweeping, warning, asking sources. */
  readonly doesUpkeep: boolean;
  /** Descriptors to listen on, by the name of the listener; what is missing is listened for by host and port. */
  readonly sockets: Readonly<Record<string, number>>;
  /** Counts failures for all workers. */
  failures(windowMs: number): SharedFailures;
}
