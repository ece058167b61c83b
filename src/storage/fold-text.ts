/** A text folded for searches. The same as lower() of SQL for ASCII. */
export function foldText(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
