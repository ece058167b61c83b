import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { run } from '../support/child-process.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';

const helm4 = 'helm.sh/helm/v4/cmd/helm@v4.3.1';
const suites = join(import.meta.dirname, '../kubernetes');

// npm test has Helm 3, which is built sooner.
test('the chart is the same to Helm 4, in every test of it', requireProgram('go'), async () => {
  const scratch = await makeScratch('helm-4');
  try {
    const args = ['install', '-gcflags=all=-N -l', '-ldflags=-s -w', helm4];
    const env = { GOBIN: scratch.path, CGO_ENABLED: '0' };
    const built = await run({ label: 'go install', command: 'go', args, env, withinMs: 1_800_000 });
    assert.equal(built.code, 0, built.stderr);
    const files = (await readdir(suites)).filter((name) => name.endsWith('.test.ts'));
    const tested = await run({
      label: 'the tests of the chart',
      command: 'env',
      // With it, even empty, a runner takes itself for one of this test's files and runs none.
      args: [
        ...['-u', 'NODE_TEST_CONTEXT', process.execPath, '--test', '--test-concurrency=2'],
        ...files.map((name) => join(suites, name)),
      ],
      env: { PATH: [scratch.path, process.env['PATH']].join(delimiter) },
      withinMs: 1_200_000,
    });
    assert.equal(tested.code, 0, tested.stdout);
    assert.match(tested.stdout, /# pass [1-9]|ℹ pass [1-9]/);
  } finally {
    await scratch.remove();
  }
});
