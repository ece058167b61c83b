import type { ContentsFilling, ContentsView, StoreContents } from './store-contents.ts';
import { rowLine, summarize, type TableSummary } from './summary.ts';
import { type Row, tables } from './tables.ts';

/** One table on both sides, read again after the last row was written. */
interface CopiedTable {
  readonly from: TableSummary;
  readonly to: TableSummary;
}

/** How a copy ended. */
export type CopyOutcome =
  | {
      readonly kind: 'copied';
      readonly start: CopyStart;
      readonly tables: readonly CopiedTable[];
    }
  /** The source is not what it was at the beginning; the copy stays unfinished. */
  | { readonly kind: 'source-changed'; readonly tables: readonly CopiedTable[] }
  /** Nothing was changed. */
  | { readonly kind: 'refused'; readonly why: 'unfinished-copy-of-another' }
  /** Nothing was changed; this table holds something. */
  | { readonly kind: 'refused'; readonly why: 'full'; readonly table: string };

/**
 * What a copy found where it began. 'continued': a part of the same, copied by an earlier run. 'anew': a part of what
 * the source was once. 'already': all of it, so there was nothing to do.
 */
export type CopyStart = 'new' | 'continued' | 'anew' | 'already';

/**
 * Copies everything of a store into an empty one, or goes on where a copy of the same store was left. At the end both
 * are read again and compared: only what is the same row by row becomes a store that opens. Rejects with
 * `Fault('store_unavailable')`; running it again goes on.
 */
export async function copyContents(from: StoreContents, to: StoreContents): Promise<CopyOutcome> {
  const view = await from.view();
  try {
    const occupancy = await to.occupancy();
    if (occupancy.kind === 'unfinished') {
      if (occupancy.realm === view.realm) return await complete(from, view, to, true);
      return { kind: 'refused', why: 'unfinished-copy-of-another' };
    }
    if (occupancy.realm === view.realm) {
      const tables = await compare(from.view(), to.view());
      if (tables.every(isSame)) return { kind: 'copied', start: 'already', tables };
    }
    if (occupancy.kind === 'full') return { kind: 'refused', why: 'full', table: occupancy.table };
    return await complete(from, view, to, false);
  } finally {
    await view.close();
  }
}

async function complete(
  from: StoreContents,
  view: ContentsView,
  to: StoreContents,
  isResumed: boolean,
): Promise<CopyOutcome> {
  const filling = await to.fill(view.realm, 'in-steps');
  try {
    const start = await transfer(view, filling, isResumed);
    // The source as it is now: what changed meanwhile shows.
    const compared = await compare(from.view(), filling.held());
    if (!compared.every(isSame)) return { kind: 'source-changed', tables: compared };
    await filling.finish();
    return { kind: 'copied', start, tables: compared };
  } finally {
    await filling.close();
  }
}

async function transfer(
  view: ContentsView,
  filling: ContentsFilling,
  isResumed: boolean,
): Promise<CopyStart> {
  const held = isResumed ? await countHeld(view, filling) : new Map<string, number>();
  if (held === null) await filling.clear();
  for (const table of tables) {
    let toSkip = held?.get(table.name) ?? 0;
    for await (const rows of view.rows(table)) {
      const missing = rows.slice(toSkip);
      toSkip -= rows.length - missing.length;
      if (missing.length > 0) await filling.append(table, missing);
    }
  }
  return held === null ? 'anew' : isResumed ? 'continued' : 'new';
}

/** How many rows of each table are there already; null where they are not the source's first ones. */
async function countHeld(view: ContentsView, filling: ContentsFilling): Promise<Map<string, number> | null> {
  const held = await filling.held();
  try {
    const counts = new Map<string, number>();
    for (const table of tables) {
      const wanted = oneByOne(view.rows(table));
      let count = 0;
      for await (const row of oneByOne(held.rows(table))) {
        const { value } = await wanted.next();
        if (value === undefined || rowLine(value) !== rowLine(row)) return null;
        count += 1;
      }
      await wanted.return(undefined);
      counts.set(table.name, count);
    }
    return counts;
  } finally {
    await held.close();
  }
}

async function* oneByOne(portions: AsyncIterable<readonly Row[]>): AsyncGenerator<Row, undefined> {
  for await (const rows of portions) yield* rows;
  return undefined;
}

async function compare(
  from: Promise<ContentsView>,
  to: Promise<ContentsView>,
): Promise<readonly CopiedTable[]> {
  const [one, other] = await Promise.all([summed(from), summed(to)]);
  return one.flatMap((summary, at) => {
    const copied = other[at];
    return copied === undefined ? [] : [{ from: summary, to: copied }];
  });
}

async function summed(opening: Promise<ContentsView>): Promise<readonly TableSummary[]> {
  const view = await opening;
  try {
    return await summarize(view);
  } finally {
    await view.close();
  }
}

function isSame({ from, to }: CopiedTable): boolean {
  return from.rows === to.rows && from.sha256 === to.sha256;
}
