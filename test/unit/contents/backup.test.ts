import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { isRowOf } from '../../../src/contents/backup-format.ts';
import { readBackup } from '../../../src/contents/backup-reader.ts';
import { writeBackup } from '../../../src/contents/backup-writer.ts';
import { restoreBackup, type RestoreOutcome } from '../../../src/contents/restore.ts';
import type { StoreContents } from '../../../src/contents/store-contents.ts';
import { summarize } from '../../../src/contents/summary.ts';
import { contentsVersion, type Row, tables } from '../../../src/contents/tables.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { Fault } from '../../../src/core/errors.ts';
import type { Realm } from '../../../src/core/ids.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { createSqliteContents } from '../../../src/storage/sqlite/contents.ts';
import { allRows, fillWith, sampleContents } from '../../support/sample-contents.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

const sample = sampleContents(60);
const facts = { made: '2026-01-02T03:04:05.006Z', by: '1.2.3', files: { pepper: 'id secret\n' } };
const realm = 'another realm' as string as Realm;
let scratch: Scratch;
let file: string;
let bytes: Buffer;
let stores = 0;

before(async () => {
  scratch = await makeScratch('backup');
  file = scratch.file('whole.backup');
  const contents = newContents();
  await fillWith(contents, sample);
  const view = await contents.view();
  const summaries = await summarize(view);
  assert.deepEqual(await writeBackup(view, facts, file), summaries);
  await view.close();
  bytes = await readFile(file);
});
after(() => scratch.remove());

function newContents(): StoreContents {
  stores += 1;
  return createSqliteContents(scratch.file(`${stores}.db`), systemClock, systemRandom);
}

const restore = (
  name: string,
  to: StoreContents,
  beforeRows = (): void => undefined,
): Promise<RestoreOutcome> => restoreBackup({ file: name, to, realm, beforeRows });

const isFault = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Fault, String(error instanceof Error ? error.stack : error));
  assert.match(error.message, pattern);
  return true;
};

/** Refused before the store is looked at, let alone made. */
async function refused(content: Buffer | string, pattern: RegExp): Promise<void> {
  const name = scratch.file('bad.backup');
  await writeFile(name, content);
  const to = newContents();
  await assert.rejects(
    restore(name, to, () => assert.fail('went on')),
    isFault(pattern),
  );
  assert.deepEqual(await to.occupancy(), { kind: 'empty', realm: null });
}

/** The lines of the backup, changed, with the sum over them as it has to be. */
function forged(change: (lines: string[]) => void): Buffer {
  const lines = gunzipSync(bytes).toString().trimEnd().split('\n');
  const ending = JSON.parse(lines.pop() ?? '') as { end: unknown };
  change(lines);
  const text = `${lines.join('\n')}\n`;
  const sha256 = createHash('sha256').update(text).digest('hex');
  return gzipSync(`${text}${JSON.stringify({ end: ending.end, sha256 })}\n`);
}

describe('a backup', () => {
  test('is one file for this user alone, of lines of JSON packed with gzip', async () => {
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const [heading, table, row] = gunzipSync(bytes)
      .toString()
      .split('\n')
      .map((line): unknown => line && JSON.parse(line));
    assert.deepEqual(heading, {
      latchkey: 'backup',
      version: contentsVersion,
      ...{ made: facts.made, by: facts.by },
      files: facts.files,
    });
    assert.deepEqual(table, { table: 'users', columns: tables[0]?.columns.map(({ name }) => name) });
    assert.deepEqual(row, sample.get('users')?.[0]);
  });

  test('gives back every row, whatever stands in it, in portions', async () => {
    const read = new Map<string, Row[]>(tables.map(({ name }) => [name, []]));
    const { heading } = await readBackup(file, {
      rows: async ({ name }, rows) => void read.get(name)?.push(...rows),
    });
    assert.equal(heading.made, facts.made);
    assert.deepEqual(read, new Map(sample));
  });

  test('with long rows is handed on in smaller portions, so that little of it is in memory', async () => {
    const contents = newContents();
    const filling = await contents.fill(realm, 'at-once');
    const audit = tables.find(({ name }) => name === 'audit') ?? assert.fail();
    const details = 'x'.repeat(100_000);
    const rows = Array.from({ length: 200 }, (_, seq) =>
      audit.columns.map(({ name, holds }) =>
        name === 'details' ? details : name === 'seq' ? seq + 1 : holds === 'text' ? 'any' : 1,
      ),
    );
    await filling.append(audit, rows);
    await filling.finish();
    await filling.close();
    const view = await contents.view();
    const name = scratch.file('long.backup');
    await writeBackup(view, facts, name);
    await view.close();
    const portions: number[] = [];
    await readBackup(name, {
      rows: async (table, { length }) => void (table === audit && portions.push(length)),
    });
    // 84 of them are the first to hold 8 MiB.
    assert.deepEqual(portions, [84, 84, 32]);
  });

  test('becomes a store with everything in it, under a realm of its own', async () => {
    const to = newContents();
    const outcome = await restore(file, to);
    assert.equal(outcome.kind, 'restored');
    const view = await to.view();
    assert.equal(view.realm, realm);
    assert.deepEqual(await allRows(view), sample);
  });

  test('never takes the place of a file, and leaves nothing behind where it cannot be written', async () => {
    const contents = newContents();
    await fillWith(contents, sampleContents(3));
    const earlier = await readdir(scratch.path);
    for (const [name, pattern] of [
      [file, /whole\.backup is there already and stays as it is/],
      [scratch.file('no', 'folder'), /its folder is not there/],
      [join(file, 'folder'), /its folder is a file/],
    ] as const) {
      const view = await contents.view();
      await assert.rejects(writeBackup(view, facts, name), isFault(pattern));
      await view.close();
    }
    const broken = await contents.view();
    const rows = (): never => assert.fail('the store broke');
    await assert.rejects(
      writeBackup({ ...broken, rows }, facts, scratch.file('broken.backup')),
      /the store broke/,
    );
    await broken.close();
    assert.deepEqual(
      (await readdir(scratch.path)).filter((name) => !earlier.includes(name)),
      [],
    );
    assert.deepEqual(await readFile(file), bytes);
  });

  test('that was cut off anywhere is refused, and nothing is changed', async () => {
    for (let length = 0; length < bytes.length; length += length < 40 || length > bytes.length - 20 ? 1 : 487)
      await refused(
        bytes.subarray(0, length),
        length < 12 ? /no backup|damaged/ : /no backup|damaged or was cut off/,
      );
  });

  test('with any byte changed is refused, and nothing is changed', async () => {
    // Of what gzip says of the file (RFC 1952 section 2.3), time, flags and system mean nothing.
    const meaningless = new Set([4, 5, 6, 7, 8, 9]);
    for (let at = 0; at < bytes.length; at += at < 30 || at > bytes.length - 12 ? 1 : 397) {
      if (meaningless.has(at)) continue;
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      await refused(changed, /no backup|damaged or was cut off/);
    }
  });

  test('with rows taken out, added or changed is refused, though packed well', async () => {
    const text = gunzipSync(bytes).toString();
    const lines = text.split('\n');
    const damaged = /damaged or was cut off: nothing was changed; use another/;
    await refused(gzipSync(lines.toSpliced(3, 1).join('\n')), damaged);
    await refused(gzipSync(lines.toSpliced(3, 0, lines[3] ?? '').join('\n')), damaged);
    await refused(gzipSync(text.replace('user 1', 'user I')), damaged);
    await refused(gzipSync(text.replace('"pepper":"id secret', '"pepper":"id Secret')), damaged);
    await refused(gzipSync(`${text}more\n`), damaged);
    await refused(gzipSync(text.slice(0, -1)), damaged);
    await refused(gzipSync(lines.slice(0, -2).join('\n')), damaged);
    await refused(
      forged((all) => void all.splice(3, 1)),
      damaged,
    );
    await refused(
      forged((all) => void (all[2] = '[1,2]')),
      damaged,
    );
    await refused(
      forged((all) => void (all[1] = (all[1] ?? '').replace('"name"', '"nickname"'))),
      damaged,
    );
    await refused(
      forged((all) => void all.push('{"table":"more","columns":[]}')),
      damaged,
    );
    await refused(
      forged((all) => void (all[2] = '['.repeat(100_000) + ']'.repeat(100_000))),
      damaged,
    );
  });

  test('holds no text that a store would not give back', () => {
    const [users] = tables;
    assert.ok(users);
    const of = (text: string): Row => users.columns.map(({ holds }) => (holds === 'number' ? 0 : text));
    assert.equal(isRowOf(users, of('\u{1f511}')), true);
    assert.equal(isRowOf(users, of('\ud83d')), false);
  });

  test('of a newer program is refused, with the version that knows it', async () => {
    const newer = forged((all) => {
      all[0] = (all[0] ?? '').replace(`"version":${contentsVersion}`, `"version":${contentsVersion + 1}`);
      all[1] = '{"anything":"else"}';
    });
    await refused(
      newer,
      /made by a newer Latchkey \(1\.2\.3, contents 2, this one knows 1\): nothing was changed/,
    );
  });

  test('is not what other programs write', async () => {
    const none = /bad\.backup is no backup that Latchkey made: nothing was changed/;
    await refused('-- PostgreSQL database dump\nCREATE TABLE users ();\n', none);
    await refused(gzipSync('-- PostgreSQL database dump\nCREATE TABLE users ();\n'), none);
    await refused(gzipSync('{"latchkey":"token"}\n'), none);
    await refused(gzipSync('[]\n'), none);
    await refused('', /no backup|damaged/);
    const database = newContents();
    await fillWith(database, sampleContents(3));
    await refused(await readFile(database.place), none);
    await assert.rejects(restore(scratch.path, newContents()), isFault(/cannot be read: EISDIR/));
  });

  test('without an end is not read into memory', async () => {
    await refused(gzipSync(Buffer.alloc(17 * 1024 * 1024, 0x20)), /no backup|damaged/);
  });

  test('is refused by a store that holds something, or half a copy', async () => {
    const full = newContents();
    await fillWith(full, sampleContents(3));
    const earlier = await allRows(await full.view());
    const stop = (): void => assert.fail('went on');
    assert.deepEqual(await restore(file, full, stop), { kind: 'refused', why: 'full', table: 'users' });
    assert.deepEqual(await allRows(await full.view()), earlier);
    const unfinished = newContents();
    await (await unfinished.fill(realm, 'in-steps')).close();
    assert.deepEqual(await restore(file, unfinished, stop), { kind: 'refused', why: 'unfinished-copy' });
  });

  test('that cannot be taken in to its end leaves the store empty', async () => {
    const to = newContents();
    let left = 5;
    const failing: StoreContents = {
      ...to,
      fill: async (...what) => {
        const filling = await to.fill(...what);
        return {
          ...filling,
          append: (table, rows) => {
            left -= 1;
            return left > 0 ? filling.append(table, rows) : Promise.reject(new Error('the disk is full'));
          },
        };
      },
    };
    await assert.rejects(restore(file, failing), /the disk is full/);
    assert.equal((await to.occupancy()).kind, 'empty');
    assert.equal((await restore(file, to)).kind, 'restored');
  });

  test('that changes while it is read leaves the store empty', async () => {
    const [to, name] = [newContents(), scratch.file('swapped.backup')];
    await writeFile(name, bytes);
    const other = newContents();
    await fillWith(other, sampleContents(9));
    const view = await other.view();
    await writeBackup(view, facts, scratch.file('other.backup'));
    await view.close();
    const swapped = await readFile(scratch.file('other.backup'));
    const swap = (): void => writeFileSync(name, swapped);
    await assert.rejects(restore(name, to, swap), isFault(/changed while it was read: nothing was restored/));
    assert.equal((await to.occupancy()).kind, 'empty');
  });
});
