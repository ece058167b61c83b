import { randomUUID } from 'node:crypto';
import { DatabaseError } from 'pg';
import { type PostgresConfig, storeName } from '../../config/store-config.ts';
import type { ContentsFilling, FillMode } from '../../contents/store-contents.ts';
import { type Cell, type Row, type Table, tables } from '../../contents/tables.ts';
import type { Clock } from '../../core/clock.ts';
import type { Fault } from '../../core/errors.ts';
import type { Realm } from '../../core/ids.ts';
import type { RandomBytes } from '../../core/random.ts';
import { foldText } from '../fold-text.ts';
import { cellOf, searchKeyOf } from '../searched-texts.ts';
import { connectPatiently } from './contents-session.ts';
import { fixMoment, viewOf } from './contents-view.ts';
import { openPostgres } from './database.ts';
import { claimPepperOfTokens } from './pepper-claim.ts';
import { storeFault, toFault } from './postgres-fault.ts';
import type { Session } from './session.ts';
import { clientKey } from './token-rows.ts';
import { markUnfinished, type Unfinished, unfinishedOf } from './unfinished.ts';

interface FillingDeps {
  readonly config: PostgresConfig;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

/** See `StoreContents.fill`. */
export async function fillPostgres(
  deps: FillingDeps,
  realm: Realm,
  mode: FillMode,
): Promise<ContentsFilling> {
  const { config } = deps;
  // Makes the tables, or brings them up to date.
  await (await openPostgres({ ...deps, unfinishedToo: true })).close();
  const session = await connectPatiently(config);
  const mark = { realm, run: randomUUID() };
  try {
    await session.query('BEGIN');
    await markUnfinished(session, mark);
    if (mode === 'in-steps') await session.query('COMMIT');
    return filling(session, config, mark, mode);
  } catch (error) {
    session.breakOff();
    throw toFault(error, storeName(config));
  }
}

function filling(
  session: Session,
  config: PostgresConfig,
  mark: Unfinished,
  mode: FillMode,
): ContentsFilling {
  const name = storeName(config);
  const inSteps = mode === 'in-steps';
  const step = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      if (inSteps) await session.query('BEGIN');
      if ((await unfinishedOf(session, 'held'))?.run !== mark.run) {
        throw storeFault(
          name,
          'is being filled by another command, which began later: this one leaves it to that.',
        );
      }
      await work();
      if (inSteps) await session.query('COMMIT');
    } catch (error) {
      if (inSteps) await session.query('ROLLBACK').catch(() => undefined);
      throw refusedRow(error, name, what) ?? toFault(error, name);
    }
  };
  return {
    async held() {
      const looking = await connectPatiently(config);
      await fixMoment(looking);
      return viewOf(looking, mark.realm, name);
    },
    append: (table, rows) =>
      step(table.name, () => session.query({ ...insertOf(table), values: columnsOf(table, rows) })),
    clear: () =>
      step('anything', async () => {
        for (const { name: table } of tables.toReversed()) await session.query(`DELETE FROM ${table}`);
      }),
    finish: () =>
      step('meta', async () => {
        // What proved the peppers of a gateway that was here before says nothing of these tokens.
        await session.query(`DELETE FROM meta WHERE name LIKE 'pepper:%'`);
        await session.query(`UPDATE meta SET value = $1 WHERE name = 'realm'`, [mark.realm]);
        await session.query(auditGoesOnSql);
        await claimPepperOfTokens(session);
        await markUnfinished(session, null);
        if (!inSteps) await session.query('COMMIT');
      }),
    // Takes back what was not committed.
    close: () => session.end(),
  };
}

/** The journal counts from its newest row by itself. */
const auditGoesOnSql = `
  SELECT setval(pg_get_serial_sequence('audit', 'seq'), max(seq)) FROM audit HAVING max(seq) IS NOT NULL`;

/** What searches look in, which other kinds of store keep in other ways. */
const derived: Readonly<Record<string, Readonly<Record<string, (table: Table, row: Row) => string>>>> = {
  users: { search_key: searchKeyOf },
  tokens: {
    name_key: (table, row) => foldText(cellOf(table, row, 'name') ?? ''),
    client_key: (table, row) => clientKey(cellOf(table, row, 'last_used_client')),
  },
};

function insertOf(table: Table): { readonly name: string; readonly text: string } {
  const more = Object.keys(derived[table.name] ?? {}).map((name) => ({ name, holds: 'text' as const }));
  const columns = [...table.columns, ...more];
  const arrays = columns.map(
    ({ holds }, index) => `$${index + 1}::${holds === 'text' ? 'text' : 'bigint'}[]`,
  );
  const names = columns.map(({ name }) => name).join(', ');
  return {
    name: `fill ${table.name}`,
    text: `INSERT INTO ${table.name} (${names}) SELECT * FROM unnest(${arrays.join(', ')})`,
  };
}

/** One array a column. */
function columnsOf(table: Table, rows: readonly Row[]): Cell[][] {
  const kept = table.columns.map((_, index) => rows.map((row) => row[index] ?? null));
  const made = Object.values(derived[table.name] ?? {}).map((make) => rows.map((row) => make(table, row)));
  return [...kept, ...made];
}

/** Class 23: against another row; class 22: not to be kept at all, such as NUL in a text. */
function refusedRow(error: unknown, name: string, table: string): Fault | null {
  if (!(error instanceof DatabaseError) || !/^2[23]/.test(error.code ?? '')) return null;
  return storeFault(name, `does not take a row of ${table}: ${error.message}.`, error);
}
