/**
 * Ends everything a test file started, in order, each whether or not the one before could be ended: what is
 * left running would keep the file from ending and hide why.
 * @throws what the first failing one threw, after all were tried
 */
export async function endAll(...endings: readonly (() => Promise<unknown> | undefined)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const end of endings) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
