import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run, type Finished } from './support/child-process.ts';
import { makeScratch, type Scratch } from './support/scratch.ts';

const runner = join(import.meta.dirname, '../scripts/run-tests.ts');
const requirement = join(import.meta.dirname, 'support/requirement.ts');

describe('the test runner', () => {
  let scratch: Scratch;

  const runFile = async (name: string, body: string, env: Record<string, string> = {}): Promise<Finished> => {
    const file = scratch.file(`${name}.test.ts`);
    await writeFile(file, `import { test } from 'node:test';\n${body}`);
    // node:test runs nothing where it believes to be started by another run.
    const args = ['-u', 'NODE_TEST_CONTEXT', '-u', 'CI', process.execPath, runner, file];
    const given = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    return run({ label: name, command: 'env', args: [...args.slice(0, 4), ...given, ...args.slice(4)] });
  };
  const lastLine = ({ stdout }: Finished): string | undefined => stdout.trimEnd().split('\n').at(-1);

  before(async () => {
    scratch = await makeScratch('runner');
  });

  after(() => scratch.remove());

  test('ends with a line that counts, and with code 1 where one failed', async () => {
    const done = await runFile(
      'mixed',
      `test('a', () => {}); test('b', () => {}); test('c', { skip: 'why' }, () => {});
       test('d', () => { throw new Error('no'); });`,
    );
    assert.equal(lastLine(done), '2 passed, 1 failed, 1 skipped');
    assert.equal(done.code, 1);
  });

  test('ends with code 0 where nothing failed', async () => {
    const done = await runFile('good', `test('a', () => {}); test('b', { skip: true }, () => {});`);
    assert.equal(lastLine(done), '1 passed, 0 failed, 1 skipped');
    assert.equal(done.code, 0);
  });

  test('counts a file that cannot be loaded as failed', async () => {
    const done = await runFile('broken', `import './absent.ts';`);
    assert.equal(lastLine(done), '0 passed, 1 failed, 0 skipped');
    assert.equal(done.code, 1);
  });

  test('fails where nothing ran', async () => {
    const done = await runFile('idle', `test('a', { skip: true }, () => {});`);
    assert.equal(lastLine(done), '0 passed, 0 failed, 1 skipped');
    assert.equal(done.code, 1);
  });

  const needsAbsent = `import { requireProgram } from ${JSON.stringify(requirement)};
    test('there', requireProgram('sh'), () => {});
    test('absent', requireProgram('sh', 'no-such-program'), () => {});`;

  test('skips, by name, what needs a program that is not installed', async () => {
    const done = await runFile('laptop', needsAbsent);
    assert.equal(lastLine(done), '1 passed, 0 failed, 1 skipped');
    assert.match(done.stdout, /not installed: no-such-program/);
  });

  test('fails over a program that is not installed where CI=true', async () => {
    const done = await runFile('ci', needsAbsent, { CI: 'true' });
    assert.equal(done.code, 1);
    assert.match(done.stdout, /CI=true, and not installed: no-such-program/);
  });
});
