import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startApache } from '../support/apache.ts';
import { run } from '../support/child-process.ts';
import { type GuardedApache, startGuardedApache } from '../support/guarded-apache.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';

interface Score {
  readonly passed: number;
  readonly failed: number;
  readonly warnings: number;
  readonly output: string;
}

async function runLitmus(url: string, credentials: readonly string[] = []): Promise<Score> {
  const scratch = await makeScratch('litmus');
  try {
    const done = await run({
      label: 'litmus',
      command: 'litmus',
      // -k: go on to the next suite after one that failed.
      args: ['-k', url, ...credentials],
      cwd: scratch.path,
    });
    const sum = (pattern: RegExp): number =>
      [...done.stdout.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
    return {
      passed: sum(/tests run: (\d+) passed/g),
      failed: sum(/passed, (\d+) failed/g),
      warnings: sum(/(\d+) warnings? w(?:as|ere) issued/g),
      output: done.stdout + done.stderr,
    };
  } finally {
    await scratch.remove();
  }
}

function assertFullScore(score: Score): void {
  assert.deepEqual({ passed: score.passed, failed: score.failed }, { passed: 104, failed: 0 }, score.output);
  assert.ok(score.warnings <= 2, score.output);
}

describe('litmus against Apache mod_dav', requireProgram('litmus', 'apache2'), () => {
  test('passes 104 of 104 with at most 2 warnings directly (control)', async () => {
    const apache = await startApache();
    try {
      assertFullScore(await runLitmus(`${apache.url}/dav/`));
    } finally {
      await apache.stop();
    }
  });

  describe('through the gateway', () => {
    let guarded: GuardedApache;
    before(async () => {
      guarded = await startGuardedApache();
    });
    after(() => guarded?.stop());

    test('passes 104 of 104 with at most 2 warnings, a token as password', async () => {
      const score = await runLitmus(`${guarded.gateway.url}/dav/`, ['alice', await guarded.gateway.token()]);
      assertFullScore(score);
    });

    test('passes 104 of 104 with a token for that folder alone', async () => {
      const token = await guarded.gateway.token({ scopes: ['path:/dav/:rw'] });
      assertFullScore(await runLitmus(`${guarded.gateway.url}/dav/`, ['alice', token]));
    });

    test('Apache saw the user in X-Remote-User on every request and never a credential', async () => {
      const seen = await guarded.apache.accessLog();
      assert.ok(seen.length > 200);
      assert.deepEqual([...new Set(seen.map(({ remoteUser }) => remoteUser))], ['alice']);
      assert.deepEqual([...new Set(seen.map(({ authorization }) => authorization))], ['-']);
    });
  });
});
