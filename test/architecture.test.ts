import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as rules from './support/house-rules.ts';
import { parseSource, readSources, type SourceFile } from './support/source-file.ts';

const root = join(import.meta.dirname, '..');
const sources = readSources(join(root, 'src'));

type Rule = (files: readonly SourceFile[]) => readonly rules.Violation[];

/** Asserts that a rule finds exactly one violation, matching, in synthetic sources given by path. */
function assertCatches(rule: Rule, sourcesByPath: Readonly<Record<string, string>>, expected: RegExp): void {
  const found = rule(Object.entries(sourcesByPath).map(([path, text]) => parseSource(path, text)));
  assert.equal(found.length, 1, `expected one violation, found: ${found.join('; ')}`);
  assert.match(found[0] ?? '', expected);
}

describe('the house', () => {
  test('is not empty', () => assert.ok(sources.length > 10));

  test('imports point to lower ranks only', () => assert.deepEqual(rules.rankViolations(sources), []));

  test('has no import cycles', () => assert.deepEqual(rules.cycleViolations(sources), []));

  test('each dependency has one owner', () => assert.deepEqual(rules.ownerViolations(sources), []));

  test('only the configuration reads the environment', () =>
    assert.deepEqual(rules.environmentViolations(sources), []));

  test('every export is documented where it is declared', () =>
    assert.deepEqual(rules.exportViolations(sources), []));

  test('no module is imported for its side effects', () =>
    assert.deepEqual(rules.sideEffectViolations(sources), []));

  test('names say what is inside', () => assert.deepEqual(rules.nameViolations(sources), []));

  test('no function has more than 70 lines of its own', () =>
    assert.deepEqual(rules.functionSizeViolations(sources), []));

  for (const folder of ['src', 'test', 'bench', 'scripts']) {
    test(`no file in ${folder}/ has more than 400 lines`, () =>
      assert.deepEqual(rules.sizeViolations(readSources(join(root, folder))), []));
  }
});

describe('the rules catch', () => {
  test('an import from a higher rank', () =>
    assertCatches(
      rules.rankViolations,
      { 'core/a.ts': `import { b } from '../tokens/b.ts';` },
      /core\/a\.ts.*rank 2/,
    ));

  test('a type imported from a higher rank', () =>
    assertCatches(
      rules.rankViolations,
      { 'tokens/a.ts': `import type { B } from '../gateway/b.ts';` },
      /rank 3/,
    ));

  test('an import from a peer folder', () =>
    assertCatches(
      rules.rankViolations,
      { 'tokens/a.ts': `import { b } from '../identity/b.ts';` },
      /rank 2/,
    ));

  test('one storage importing another', () =>
    assertCatches(
      rules.rankViolations,
      { 'storage/redis/a.ts': `import '../sqlite/b.ts';` },
      /storage\/sqlite/,
    ));

  test('a dynamic import from a higher rank', () =>
    assertCatches(rules.rankViolations, { 'core/a.ts': `await import('../cli/b.ts');` }, /rank 7/));

  test('a folder without a rank', () =>
    assertCatches(rules.rankViolations, { 'extras/a.ts': '' }, /no rank/));

  test('nothing in imports from lower ranks and the own folder', () => {
    const text = `import { a } from './b.ts'; import { c } from '../core/c.ts'; import fs from 'node:fs';`;
    const file = parseSource('gateway/a.ts', text);
    assert.deepEqual([...rules.rankViolations([file]), ...rules.ownerViolations([file])], []);
  });

  test('a cycle', () =>
    assertCatches(
      rules.cycleViolations,
      { 'core/a.ts': `import './b.ts';`, 'core/b.ts': `import './c.ts';`, 'core/c.ts': `import './a.ts';` },
      /core\/a\.ts → core\/b\.ts → core\/c\.ts → core\/a\.ts/,
    ));

  test('a dependency outside its owner', () =>
    assertCatches(
      rules.ownerViolations,
      { 'tokens/a.ts': `import { Redis } from 'ioredis';` },
      /storage\/redis\//,
    ));

  test('a dependency that nobody owns', () =>
    assertCatches(
      rules.ownerViolations,
      { 'core/a.ts': `import x from 'left-pad/x';` },
      /left-pad has no owner/,
    ));

  test('a read of the environment', () =>
    assertCatches(
      rules.environmentViolations,
      { 'core/a.ts': `const a = process.env['A'];` },
      /process\.env/,
    ));

  test('an environment imported by name', () =>
    assertCatches(
      rules.environmentViolations,
      { 'core/a.ts': `import { env } from 'node:process';` },
      /process\.env/,
    ));

  test('an export without a docstring', () =>
    assertCatches(
      rules.exportViolations,
      {
        'core/a.ts':
          '/** Said. */\nexport const a: number = 1;\n// not a docstring\nexport function b(): void {}',
      },
      /core\/a\.ts:4: export without/,
    ));

  test('a barrel', () =>
    assertCatches(
      rules.exportViolations,
      { 'core/a.ts': `/** All. */\nexport * from './b.ts';` },
      /re-export/,
    ));

  test('a default export', () =>
    assertCatches(
      rules.exportViolations,
      { 'core/a.ts': '/** One. */\nexport default 1;' },
      /default export/,
    ));

  test('an import for side effects', () =>
    assertCatches(rules.sideEffectViolations, { 'core/a.ts': `import './b.ts';` }, /side effects/));

  test('a file of 401 lines, and not one of 400', () => {
    assertCatches(rules.sizeViolations, { 'core/a.ts': '\n'.repeat(401) }, /401 lines/);
    assert.deepEqual(rules.sizeViolations([parseSource('core/a.ts', '\n'.repeat(400))]), []);
  });

  test('a function of 71 lines, and not one of 70 that holds another', () => {
    const body = (lines: number): string => 'a();\n'.repeat(lines);
    const tooLong = { 'core/a.ts': `function f() {\n${body(69)}}` };
    assertCatches(rules.functionSizeViolations, tooLong, /core\/a\.ts:1: a function of 71 lines/);
    const nested = `function f() {\n${body(34)}const g = () => {\n${body(60)}};\n${body(33)}}`;
    assert.deepEqual(rules.functionSizeViolations([parseSource('core/a.ts', nested)]), []);
  });

  test('a vague name', () => assertCatches(rules.nameViolations, { 'core/utils.ts': '' }, /"utils"/));

  test('a vague folder', () =>
    assertCatches(rules.nameViolations, { 'core/common/path.ts': '' }, /"common"/));
});
