import type { KeptStore } from '../../src/compose/kept-store.ts';

/** Everything that is kept in one database. */
export type Stores = Omit<KeptStore, 'claimPeppers' | 'provePeppers' | 'journal' | 'keepReserve' | 'close'>;

/** What the contracts need of an implementation: an empty database, as two processes see it. */
export interface StoreSubject extends Stores {
  /** The same database over connections of its own. */
  readonly other: Stores;
  stop(): Promise<void>;
}
