/** One figure, and what was promised about it. */
export interface Row {
  readonly what: string;
  /** With its unit. */
  readonly figure: string;
  /** With its unit; null where nothing was promised. */
  readonly budget: string | null;
  /** Null where nothing was promised. */
  readonly met: boolean | null;
}

/** A figure with a budget it must not exceed. */
export function atMost(what: string, value: number, budget: number, unit: string): Row {
  return {
    what,
    figure: `${rounded(value)}${unit}`,
    budget: `≤ ${budget}${unit}`,
    met: value <= budget,
  };
}

/** A figure with a budget it must reach. */
export function atLeast(what: string, value: number, budget: number, unit: string): Row {
  return {
    what,
    figure: `${rounded(value)}${unit}`,
    budget: `≥ ${budget}${unit}`,
    met: value >= budget,
  };
}

/** A figure for comparison. */
export function plain(what: string, value: number, unit: string): Row {
  return { what, figure: `${rounded(value)}${unit}`, budget: null, met: null };
}

/** A measurement that could not be made here, and why. */
export function skipped(what: string, why: string): Row {
  return { what, figure: `skipped: ${why}`, budget: null, met: null };
}

/** The rows as a Markdown table. */
export function toMarkdown(rows: readonly Row[]): string {
  const cells = rows.map(({ what, figure, budget, met }) => [
    what,
    figure,
    budget ?? '',
    met === null ? '' : met ? 'met' : '**missed**',
  ]);
  const heads = ['measured', 'figure', 'budget', ''];
  const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [
    line(heads),
    `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
    ...cells.map(line),
  ].join('\n');
}

function rounded(value: number): string {
  if (Math.abs(value) >= 1_000) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}
