import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireHosts } from '../support/hosts/network.ts';
import { assertPromise, runPromise } from '../support/hosts/promise-run.ts';
import { requirePostgres } from '../support/postgres.ts';
import { requireProgram } from '../support/requirement.ts';

const needed = [await requireHosts(), requirePostgres(), requireProgram('redis-server', 'redis-cli')];

/** Two faults of many; `test/long/three-hosts.test.ts` comes to all of them. */
describe('three gateways, PostgreSQL and Redis with Sentinels on hosts of their own', {
  skip: needed.find(({ skip }) => skip !== false)?.skip ?? false,
}, () => {
  test('keep the promise while a link to the store is cut and while the master of Redis dies', async (context) => {
    const outcome = await runPromise({
      ...{ seed: 1, forMs: 30_000, calmMs: 2_500, lives: 12 },
      planned: [
        { fault: { what: 'cut', from: 'gw2', to: ['pg'], how: 'both' }, holdMs: 6_500 },
        { fault: { what: 'kill', process: 'master' }, holdMs: 6_500 },
      ],
    });
    context.diagnostic(outcome.report);
    assert.equal(outcome.history.filter(({ kind }) => kind === 'fault').length, 2);
    assertPromise(outcome);
  });
});
