import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../../src/core/clock.ts';
import { systemRandom } from '../../../../src/core/random.ts';
import { tables } from '../../../../src/contents/tables.ts';
import { openSqlite } from '../../../../src/storage/sqlite/database.ts';
import { makeScratch } from '../../../support/scratch.ts';

/** What a store makes from the rest, and what says what it is. */
const notContents = /^(meta|sqlite_.*|user_texts.*|token_texts.*)$|^users\.search_key$/;

test('every column of a store file is among its contents, or can be made from them', async () => {
  const scratch = await makeScratch('columns');
  const database = await openSqlite({
    path: scratch.file('x.db'),
    clock: systemClock,
    randomBytes: systemRandom,
  });
  const rows = database
    .prepare(
      `SELECT m.name AS "table", c.name AS "column", c.type AS type FROM sqlite_schema m, pragma_table_info(m.name) c
       WHERE m.type = 'table'`,
    )
    .all();
  const kept = rows
    .filter((row) => !notContents.test(String(row['table'])))
    .map(
      (row) =>
        `${String(row['table'])}.${String(row['column'])} ${row['type'] === 'TEXT' ? 'text' : 'number'}`,
    )
    .filter((name) => !notContents.test(name.split(' ')[0] ?? ''));
  const known = tables.flatMap(({ name, columns }) =>
    columns.map((column) => `${name}.${column.name} ${column.holds}`),
  );
  assert.deepEqual(known.toSorted(), kept.toSorted());
  database.close();
  await scratch.remove();
});
