import { describe, test } from 'node:test';
import { requireHosts } from '../support/hosts/network.ts';
import { assertPromise, runPromise } from '../support/hosts/promise-run.ts';
import { requirePostgres } from '../support/postgres.ts';
import { requireProgram } from '../support/requirement.ts';

const needed = [await requireHosts(), requirePostgres(), requireProgram('redis-server', 'redis-cli')];

/** Half an hour comes to every fault once or so. */
const minutes = Number(process.env['LATCHKEY_PROMISE_MINUTES'] ?? '30');
const seed = Number(process.env['LATCHKEY_PROMISE_SEED'] ?? '1');

describe('three gateways, PostgreSQL and Redis with Sentinels on hosts of their own', {
  skip: needed.find(({ skip }) => skip !== false)?.skip ?? false,
}, () => {
  test(`keep the promise for ${minutes} minutes of faults`, async (context) => {
    const outcome = await runPromise({
      ...{ seed, forMs: minutes * 60_000, calmMs: 7_000, lives: 10 },
      tell: (text) => console.log(`${new Date().toISOString()} ${text}`),
    });
    context.diagnostic(outcome.report);
    assertPromise(outcome);
  });
});
