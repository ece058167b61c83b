import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readTestTitles, type TestTitle } from '../support/test-titles.ts';

interface Row {
  readonly id: string;
  /** `FILE: TITLE`, or why there is none yet. */
  readonly shownBy: string;
}

const idPattern = /\b(?:CVE-\d{4}-\d+|GHSA(?:-[a-z0-9]{4}){3}|GO-\d{4}-\d+|S(?:1\d|[1-9]))\b/g;
const later = /^not applicable yet: \S/;

const page = readFileSync(join(import.meta.dirname, '../../docs/advisories.md'), 'utf8');
const rows: readonly Row[] = page.split('\n').flatMap((line) => {
  const cells = line.split('|').map((cell) => cell.trim());
  const [, id = '', product = '', cause = '', shownBy = ''] = cells;
  if (cells.length !== 6 || id === 'id' || /^-+$/.test(id)) return [];
  assert.ok(product !== '' && cause !== '', line);
  return [{ id, shownBy: shownBy.replaceAll('`', '') }];
});

const idsOf = (title: string): readonly string[] => [...new Set(title.match(idPattern))];
/** A title as the table writes it: without the ids at its end, and without the reason of a case. */
const short = (title: string): string =>
  title.replace(/ \[[^\]]*\]$/, '').replace(/^(tier \d: \S+ ends in [a-z-]+).*$/, '$1');
const shownBy = ({ file, title }: TestTitle): string => `${file}: ${short(title)}`;
const titled = readTestTitles().filter(({ title }) => idsOf(title).length > 0);

describe('docs/advisories.md', () => {
  test('says of every advisory in a title of a test that this test shows it', () => {
    const told = new Set(rows.map((row) => `${row.id} ${row.shownBy}`));
    const shown = titled.flatMap((each) => idsOf(each.title).map((id) => `${id} ${shownBy(each)}`));
    assert.deepEqual(
      shown.filter((each) => !told.has(each)),
      [],
    );
  });

  test('names only tests that exist and have the advisory in their title', () => {
    const shown = new Set(titled.flatMap((each) => idsOf(each.title).map((id) => `${id} ${shownBy(each)}`)));
    const told = rows.filter((row) => !later.test(row.shownBy)).map((row) => `${row.id} ${row.shownBy}`);
    assert.deepEqual(
      told.filter((each) => !shown.has(each)),
      [],
    );
    assert.equal(new Set(told).size, told.length, 'no row stands twice');
  });

  test('calls nothing not applicable that has a test, and no id is malformed', () => {
    const tested = new Set(titled.flatMap(({ title }) => idsOf(title)));
    const waiting = rows.filter((row) => later.test(row.shownBy)).map(({ id }) => id);
    assert.deepEqual(
      waiting.filter((id) => tested.has(id)),
      [],
    );
    assert.deepEqual(
      rows.map(({ id }) => id).filter((id) => idsOf(id).join() !== id),
      [],
    );
    assert.ok(rows.length > 100);
  });
});
