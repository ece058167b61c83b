/** What all processes together have counted for one name. */
export interface FailureTotal {
  readonly count: number;
  /** Milliseconds until the counting starts anew. */
  readonly endsInMs: number;
}

/**
 * Counts failures for all processes. Like every cache between them it may forget, be slow or be away: then it
 * answers null, and each process goes by what it has seen itself.
 */
export interface SharedFailures {
  /**
   * Counts one wrong secret for a name, the same one only once in the time of counting. Neither text may tell
   * anything to whoever reads it. Never rejects.
   */
  add(name: string, guess: string): Promise<FailureTotal | null>;
}
