import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readTestTitles } from './support/test-titles.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'SECURITY.md'), 'utf8');

/** The rows of the one table under this heading: their cells, without the line of names and the line below it. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('SECURITY.md', () => {
  test('names for each way to fail a test that exists, by file and title', () => {
    const existing = new Set(readTestTitles().map(({ file, title }) => `\`${file}\`: ${title}`));
    const rows = rowsUnder('How it fails');
    const wrong = rows.flatMap((cells) => {
      const [broken = '', , shownBy = ''] = cells;
      if (cells.length !== 3 || cells.includes('')) return [`${broken}: a row has three cells`];
      return shownBy.split('<br>').flatMap((each) => (existing.has(each) ? [] : [`${broken}: ${each}`]));
    });
    assert.deepEqual(wrong, []);
    assert.ok(rows.length > 10, 'the table is there');
  });

  test('names for each promise files that exist', () => {
    const rows = rowsUnder('What is promised, and the test that shows it');
    const files = rows.flatMap(([, shownBy = '']) => [...shownBy.matchAll(/`(test\/[^`]*)`/g)]);
    const gone = files
      .map(([, file = '']) => file)
      .filter((file) => globSync(file, { cwd: root }).length === 0);
    assert.deepEqual(gone, []);
    assert.ok(files.length > 10, 'the table is there');
  });
});
