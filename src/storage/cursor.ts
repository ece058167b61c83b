import type { Page } from '../core/page.ts';

/** A place in a list: what its last item was sorted by. */
export type Position = readonly (string | number)[];

/** The position as opaque text. */
export function toCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** The position of a cursor, or null where the text is none of this shape. */
export function readCursor(text: string, shape: readonly ('string' | 'number')[]): Position | null {
  try {
    const position: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(position) || position.length !== shape.length) return null;
    return shape.every((type, at) => isOf(type, position[at])) ? (position as Position) : null;
  } catch {
    return null;
  }
}

/** No list is sorted by other numbers than whole ones, and PostgreSQL compares its bigints with no others. */
function isOf(type: 'string' | 'number', value: unknown): boolean {
  return type === 'number' ? Number.isSafeInteger(value) : typeof value === 'string';
}

/** The page behind the end, or behind a cursor that no page gave. */
export const emptyPage: Page<never> = { items: [], next: null, total: null };

/** A page out of one item more than it holds, where there is one. */
export function toPage<Item>(
  found: readonly Item[],
  limit: number,
  positionOf: (item: Item) => Position,
  total: number | null = null,
): Page<Item> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return { items, next: hasMore ? toCursor(positionOf(last)) : null, total };
}
