import type { Realm } from '../core/ids.ts';
import type { Row, Table } from './tables.ts';

/** Everything in one store, whatever its kind. All of it rejects with `Fault('store_unavailable')` where it cannot. */
export interface StoreContents {
  /** How messages name the store: its file, or host and database; never a password. */
  readonly place: string;
  /**
   * What the store holds at this moment; changes nothing, its schema included. Rejects where there is no store, none
   * of this program's own schema, or an unfinished one.
   */
  view(): Promise<ContentsView>;
  /** Whether the store can be filled. Makes nothing where there is none yet. */
  occupancy(): Promise<Occupancy>;
  /**
   * Begins to fill a store that `occupancy` does not call full; makes it where there is none. What an unfinished copy
   * has brought stays. Whoever else was filling it fails from then on.
   */
  fill(realm: Realm, mode: FillMode): Promise<ContentsFilling>;
}

/**
 * 'in-steps' keeps each `append`; until `finish` nobody can open the store as one. 'at-once' keeps all of it at
 * `finish` or nothing.
 */
export type FillMode = 'in-steps' | 'at-once';

/** A store as somebody finds it who wants to fill it. */
export type Occupancy =
  /** `realm` null: there is no store yet. */
  | { readonly kind: 'empty'; readonly realm: Realm | null }
  /** Somebody began to copy the store of that realm, and has not come to the end. */
  | { readonly kind: 'unfinished'; readonly realm: Realm }
  /** `table` holds something. */
  | { readonly kind: 'full'; readonly realm: Realm; readonly table: string };

/** A store at one moment: what is changed later is not in it. */
export interface ContentsView {
  readonly realm: Realm;
  /** All rows of a table in the order of its key, in portions that fit into memory. */
  rows(table: Table): AsyncIterable<readonly Row[]>;
  close(): Promise<void>;
}

/** A store that is being filled. */
export interface ContentsFilling {
  /** What has been kept so far. */
  held(): Promise<ContentsView>;
  /** Rejects where somebody else began to fill the store, or one of the rows is there already. */
  append(table: Table, rows: readonly Row[]): Promise<void>;
  /** Removes every row. */
  clear(): Promise<void>;
  /** Makes it a store that opens, whose journal and audit trail go on above the numbers that were put in. */
  finish(): Promise<void>;
  /** Ends the work; takes back, after 'at-once', what was not finished. */
  close(): Promise<void>;
}
