import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../../../src/core/clock.ts';
import { systemRandom } from '../../../../src/core/random.ts';
import type { UserQuery } from '../../../../src/identity/user-store.ts';
import { openSqlite, type SqliteDatabase } from '../../../../src/storage/sqlite/database.ts';
import { insertUserSql, toUserParameters } from '../../../../src/storage/user-rows.ts';
import { createSqliteUserStore } from '../../../../src/storage/sqlite/user-store.ts';
import { makeScratch, type Scratch } from '../../../support/scratch.ts';
import { userRecord } from '../../../support/store-records.ts';

const count = 20_100;
const nameOf = (at: number): string => `user-${String(at).padStart(5, '0')}`;

describe('a search among more users than are looked at in one go', () => {
  let scratch: Scratch;
  let database: SqliteDatabase;
  before(async () => {
    scratch = await makeScratch('user-search');
    const path = scratch.file('latchkey.db');
    database = await openSqlite({ path, clock: systemClock, randomBytes: systemRandom });
    const insert = database.prepare(insertUserSql);
    await database.write(() => {
      for (let at = 0; at < count; at++) {
        const source = at % 5_000 === 4_999 ? 'rare' : 'local';
        insert.run(
          toUserParameters(userRecord(nameOf(at), { source, role: at === 9_999 ? 'admin' : 'user' })),
        );
      }
    });
  });
  after(async () => {
    database.close();
    await scratch.remove();
  });

  async function allPages(query: UserQuery): Promise<readonly string[]> {
    const found: string[] = [];
    for (let next: string | null = null; ; ) {
      const page = await createSqliteUserStore(database).search({
        ...query,
        ...(next !== null && { after: next }),
      });
      found.push(...page.items.map(({ name }) => name));
      next = page.next;
      if (next === null) return found;
    }
  }

  const all = Array.from({ length: count }, (_, at) => nameOf(at));

  test('finds everybody, in order', async () => {
    assert.deepEqual(await allPages({ limit: 9_000 }), all);
  });

  test('finds few among many, wherever they are', async () => {
    const rare = [4_999, 9_999, 14_999, 19_999].map(nameOf);
    assert.deepEqual(await allPages({ limit: 3, source: 'rare' }), rare);
    assert.deepEqual(await allPages({ limit: 3, source: 'rare', text: 'user' }), rare);
    assert.deepEqual(await allPages({ limit: 3, role: 'admin' }), [nameOf(9_999)]);
    assert.deepEqual(await allPages({ limit: 3, source: 'nowhere' }), []);
    assert.deepEqual(await allPages({ limit: 3, shutOut: true }), []);
  });

  test('finds texts that many, some or none have', async () => {
    for (const text of ['er-1', '99', '0100', 'R-201', 'none']) {
      const expected = all.filter((name) => name.includes(text.toLowerCase()));
      assert.deepEqual(await allPages({ limit: 7_000, text }), expected, text);
    }
  });
});
