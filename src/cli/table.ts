import { printable } from '../core/printable.ts';

const gap = '  ';

/** Rows as left-aligned columns under a heading, each line ending in a newline; '' for no rows. */
export function renderTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const lines = [heading, ...rows].map((cells) => cells.map(printable));
  const widths = heading.map((_, column) =>
    Math.max(...lines.map((cells) => Array.from(cells[column] ?? '').length)),
  );
  return lines.map((cells) => `${joinCells(cells, widths)}\n`).join('');
}

/** Names and values, one pair a line. */
export function renderFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}${gap}${printable(value)}\n`).join('');
}

function joinCells(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map(
    (cell, column) => cell + ' '.repeat((widths[column] ?? 0) - Array.from(cell).length),
  );
  return padded.join(gap).trimEnd();
}
