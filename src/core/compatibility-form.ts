/** Marks in a row that count: no writing has more (UAX #15, Stream-Safe Text Format). */
const marksMax = 30;
/** Texts up to this many UTF-16 units are normalised as they are: sorting so few marks is quick. */
const shortMax = 256;
/** Marks, and the two kana signs that become marks. */
const marks = /[\p{M}\uff9e\uff9f]+/gu;

/**
 * The NFKC form for comparing. In long texts marks beyond 30 in a row are left out: normalising sorts such a run in time
 * that grows with its square, and strangers choose the text.
 */
export function compatibilityForm(text: string): string {
  const bounded = text.length > shortMax ? text.replace(marks, firstMarks) : text;
  return bounded.normalize('NFKC');
}

function firstMarks(run: string): string {
  return run.length > marksMax ? Array.from(run).slice(0, marksMax).join('') : run;
}
