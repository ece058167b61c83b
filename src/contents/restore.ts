import { Fault } from '../core/errors.ts';
import type { Realm } from '../core/ids.ts';
import type { BackupHeading } from './backup-format.ts';
import { readBackup } from './backup-reader.ts';
import type { StoreContents } from './store-contents.ts';
import { summarize, type TableSummary } from './summary.ts';

/** How a restore ended. */
export type RestoreOutcome =
  | { readonly kind: 'restored'; readonly heading: BackupHeading; readonly tables: readonly TableSummary[] }
  /** Nothing was changed; this table holds something. */
  | { readonly kind: 'refused'; readonly why: 'full'; readonly table: string }
  /** Nothing was changed. */
  | { readonly kind: 'refused'; readonly why: 'unfinished-copy' };

interface RestoreDeps {
  readonly file: string;
  readonly to: StoreContents;
  /** A new one: what a cache still holds of the store that was lost must not count for this one. */
  readonly realm: Realm;
  /** Called when the backup is known to be whole and the store to be empty; where it throws nothing is changed. */
  readonly beforeRows: (heading: BackupHeading) => void;
}

/**
 * Puts everything of a backup into an empty store: all of it or nothing. Rejects with `Fault('store_unavailable')`, where
 * the store stays empty.
 */
export async function restoreBackup({ file, to, realm, beforeRows }: RestoreDeps): Promise<RestoreOutcome> {
  const nobody = { rows: () => Promise.resolve() };
  const { heading, summaries } = await readBackup(file, nobody);
  const occupancy = await to.occupancy();
  if (occupancy.kind === 'full') return { kind: 'refused', why: 'full', table: occupancy.table };
  if (occupancy.kind === 'unfinished') return { kind: 'refused', why: 'unfinished-copy' };
  beforeRows(heading);
  const filling = await to.fill(realm, 'at-once');
  try {
    const again = await readBackup(file, { rows: (table, rows) => filling.append(table, rows) });
    if (JSON.stringify(again) !== JSON.stringify({ heading, summaries })) throw changed(file);
    await filling.finish();
  } finally {
    await filling.close();
  }
  await assertSame(to, summaries);
  return { kind: 'restored', heading, tables: summaries };
}

function changed(file: string): Fault {
  return new Fault(
    'store_unavailable',
    `The backup ${file} changed while it was read: nothing was restored.`,
  );
}

async function assertSame(to: StoreContents, summaries: readonly TableSummary[]): Promise<void> {
  const view = await to.view();
  try {
    if (JSON.stringify(await summarize(view)) === JSON.stringify(summaries)) return;
  } finally {
    await view.close();
  }
  throw new Fault(
    'store_unavailable',
    `The store ${to.place} does not hold what the backup does: something else is changing it; empty it, stop that, and ` +
      'restore again.',
  );
}
