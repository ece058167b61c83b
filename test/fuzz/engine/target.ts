/** What a file directly in test/fuzz/ exports: one thing to fuzz. */
export interface FuzzTarget {
  /**
   * Takes any bytes and asserts what must hold whatever they are.
   * @throws where a promise is broken; a promise rejects with the same
   */
  fuzz(input: Buffer): void | Promise<void>;
  /** The files below src/ that it is about: how much of them was reached is reported. */
  readonly subjects: readonly string[];
  /** Texts worth trying that do not stand in those sources. */
  readonly words?: readonly string[];
  /** Longest input kept and changed further. Default 2,048. */
  readonly bytesMax?: number;
  /** Length of inputs that are run for their CPU time alone. Default 15,000, near the longest head. */
  readonly stretchedBytes?: number;
}
