import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { exitCodeHelp, exitCodes } from '../../../src/cli/exit-codes.ts';

const documented = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

test('--help and docs/cli.md say the same about every exit code', () => {
  const helped = [...exitCodeHelp.matchAll(/^ {2}(\d+) {2}(.+)$/gm)].map(
    ([, code, meaning]) => `${code} ${meaning}`,
  );
  const table = documented.slice(documented.indexOf('## Exit codes'), documented.indexOf('`doctor` ends'));
  const written = [...table.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(
    ([, code, meaning]) => `${code} ${meaning}`,
  );
  assert.deepEqual(written, helped);
  assert.deepEqual(
    helped.map((line) => Number(line.split(' ')[0])),
    Object.values(exitCodes),
  );
});
