/** One page of a list that is read from cursor to cursor. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /**
   * Where the next page begins, as `after` of the next question; null at the end. Opaque text. What no page of the
   * same order gave is answered by a page without items.
   */
  readonly next: string | null;
  /** How many there are on all pages together, where counting is cheap; else null. */
  readonly total: number | null;
}
