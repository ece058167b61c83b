import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { copyContents, type CopyOutcome } from '../../../src/contents/copy.ts';
import type { ContentsFilling, StoreContents } from '../../../src/contents/store-contents.ts';
import { tables } from '../../../src/contents/tables.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { createSqliteContents } from '../../../src/storage/sqlite/contents.ts';
import { openSqlite } from '../../../src/storage/sqlite/database.ts';
import { allRows, fillWith, sampleContents, sampleRealm } from '../../support/sample-contents.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

const sample = sampleContents(40);
let scratch: Scratch;
let from: StoreContents;
let to: StoreContents;
let copies = 0;
/** Whether the test has changed the source itself. */
let isChanged = false;

const contentsOf = (name: string): StoreContents =>
  createSqliteContents(scratch.file(name), systemClock, systemRandom);

before(async () => {
  scratch = await makeScratch('copy');
});
after(() => scratch.remove());
beforeEach(async () => {
  copies += 1;
  isChanged = false;
  from = contentsOf(`${copies}-from.db`);
  to = contentsOf(`${copies}-to.db`);
  await fillWith(from, sample);
});
afterEach(async () => {
  // Whatever happened, the source is as it was.
  if (!isChanged) assert.deepEqual(await allRows(await from.view()), sample);
});

/** Changes a store behind the copy's back. */
async function change(file: string, sql: string): Promise<void> {
  const database = await openSqlite({
    path: scratch.file(file),
    clock: systemClock,
    randomBytes: systemRandom,
  });
  database.prepare(sql).run();
  database.close();
}

/** The same store; `interrupt` runs before each change, and ends the copy where it throws. */
function interrupted(contents: StoreContents, interrupt: (step: string) => unknown): StoreContents {
  return {
    ...contents,
    async fill(realm, mode) {
      const filling = await contents.fill(realm, mode);
      const guarded: ContentsFilling = {
        ...filling,
        append: async (table, rows) => {
          await interrupt(table.name);
          // One row at a time: an interruption may come behind each.
          for (const [index, row] of rows.entries()) {
            if (index > 0) await interrupt(table.name);
            await filling.append(table, [row]);
          }
        },
        clear: async () => {
          await interrupt('clear');
          await filling.clear();
        },
        finish: async () => {
          await interrupt('finish');
          await filling.finish();
        },
      };
      return guarded;
    },
  };
}

function stopAt(step: number): (name: string) => void {
  let steps = 0;
  return () => {
    steps += 1;
    if (steps === step) throw new Error('killed');
  };
}

function started(outcome: CopyOutcome): string {
  assert.equal(outcome.kind, 'copied');
  for (const { from: one, to: other } of outcome.tables) assert.deepEqual(other, one);
  assert.deepEqual(
    outcome.tables.map(({ from: { table, rows } }) => [table, rows]),
    tables.map(({ name }) => [name, sample.get(name)?.length]),
  );
  return outcome.start;
}

async function assertCopied(): Promise<void> {
  const view = await to.view();
  assert.equal(view.realm, sampleRealm);
  assert.deepEqual(await allRows(view), sample);
}

describe('copying a store', () => {
  test('brings every row and the realm, and says how much that was', async () => {
    assert.equal(started(await copyContents(from, to)), 'new');
    await assertCopied();
  });

  test('that is done already does nothing, and says so', async () => {
    await copyContents(from, to);
    assert.equal(started(await copyContents(from, to)), 'already');
    await assertCopied();
  });

  test('that was ended behind any row goes on there, and neither loses nor doubles one', async () => {
    const all = [...sample.values()].flat().length;
    for (let step = 1; step <= all + 1; step += step < 20 || step > all - 5 ? 1 : 17) {
      to = contentsOf(`${copies}-killed-${step}.db`);
      await assert.rejects(copyContents(from, interrupted(to, stopAt(step))), /killed/);
      await assert.rejects(to.view(), /not come to its end/);
      assert.equal(started(await copyContents(from, to)), 'continued');
      await assertCopied();
    }
  });

  test('that was ended again and again comes to its end', async () => {
    let tries = 0;
    for (let kind = ''; kind !== 'copied'; tries++) {
      kind = await copyContents(from, interrupted(to, stopAt(30))).then(
        (outcome) => outcome.kind,
        () => '',
      );
    }
    assert.ok(tries > 5, String(tries));
    await assertCopied();
  });

  test('that was ended begins anew where the source has changed in what was copied', async () => {
    await assert.rejects(copyContents(from, interrupted(to, stopAt(60))), /killed/);
    isChanged = true;
    await change(`${copies}-from.db`, `UPDATE users SET display_name = 'other' WHERE name_key = 'user 1'`);
    const outcome = await copyContents(from, to);
    assert.equal(outcome.kind === 'copied' && outcome.start, 'anew');
    assert.deepEqual(await allRows(await to.view()), await allRows(await from.view()));
  });

  test('that was ended begins anew where the source has lost what was copied', async () => {
    await assert.rejects(
      copyContents(
        from,
        interrupted(to, (name) => {
          if (name === 'audit') throw new Error('killed');
        }),
      ),
      /killed/,
    );
    isChanged = true;
    await change(`${copies}-from.db`, 'DELETE FROM sessions');
    const outcome = await copyContents(from, to);
    assert.equal(outcome.kind === 'copied' && outcome.start, 'anew');
    assert.deepEqual(await allRows(await to.view()), await allRows(await from.view()));
  });

  test('notices that the source has changed meanwhile: the copy stays unfinished, and the next run is right', async () => {
    let isDue = true;
    const changing = interrupted(to, async (name) => {
      if (name !== 'tokens' || !isDue) return;
      isDue = false;
      // A token revoked now must not live on in the copy.
      isChanged = true;
      await change(`${copies}-from.db`, 'UPDATE tokens SET revoked_at = 1, version = version + 1');
    });
    const outcome = await copyContents(from, changing);
    assert.equal(outcome.kind, 'source-changed');
    const differing = outcome.tables.filter((each) => each.from.sha256 !== each.to.sha256);
    assert.deepEqual(
      differing.map((each) => each.from.table),
      ['tokens'],
    );
    await assert.rejects(to.view(), /not come to its end/);
    const again = await copyContents(from, to);
    assert.equal(again.kind === 'copied' && again.start, 'anew');
    assert.deepEqual(await allRows(await to.view()), await allRows(await from.view()));
  });

  test('into a store that holds something is refused, and changes nothing', async () => {
    const other = contentsOf(`${copies}-other.db`);
    await fillWith(other, sampleContents(5));
    await change(`${copies}-other.db`, `UPDATE meta SET value = 'another' WHERE name = 'realm'`);
    const earlier = await allRows(await other.view());
    assert.deepEqual(await copyContents(from, other), { kind: 'refused', why: 'full', table: 'users' });
    assert.deepEqual(await allRows(await other.view()), earlier);
  });

  test('into the unfinished copy of another store is refused, and that copy can go on', async () => {
    const other = contentsOf(`${copies}-other.db`);
    await fillWith(other, sampleContents(5));
    await change(`${copies}-other.db`, `UPDATE meta SET value = 'another' WHERE name = 'realm'`);
    await assert.rejects(copyContents(from, interrupted(to, stopAt(30))), /killed/);
    assert.deepEqual(await copyContents(other, to), { kind: 'refused', why: 'unfinished-copy-of-another' });
    assert.equal(started(await copyContents(from, to)), 'continued');
    await assertCopied();
  });

  test('into the copy that has been in use since is refused', async () => {
    await copyContents(from, to);
    await change(`${copies}-to.db`, `UPDATE users SET version = version + 1`);
    assert.deepEqual(await copyContents(from, to), { kind: 'refused', why: 'full', table: 'users' });
  });

  test('of an empty store makes an empty store of the same realm', async () => {
    await change(`${copies}-empty.db`, 'SELECT 1');
    const empty = contentsOf(`${copies}-empty.db`);
    const outcome = await copyContents(empty, to);
    assert.equal(outcome.kind, 'copied');
    const [one, other] = [await empty.view(), await to.view()];
    assert.equal(other.realm, one.realm);
    await one.close();
    await other.close();
  });

  test('of an unfinished copy is refused', async () => {
    await assert.rejects(copyContents(from, interrupted(to, stopAt(30))), /killed/);
    await assert.rejects(copyContents(to, contentsOf(`${copies}-third.db`)), /not come to its end/);
    assert.equal((await contentsOf(`${copies}-third.db`).occupancy()).kind, 'empty');
  });
});
