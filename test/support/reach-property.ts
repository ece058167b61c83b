import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { canonicalPath, isInFolder } from '../../src/core/path.ts';
import type { CanonicalPath } from '../../src/core/path.ts';
import { ask } from '../unit/gateway/authorize-fixture.ts';
import { routeConfig } from './route-config.ts';
import type { HostileRequest } from './hostile-requests.ts';
import type { ReachTrial } from './reach-trial.ts';

/** How many requests are made up, and for how long at most. */
export interface Effort {
  /** What fails with one seed fails with it again. */
  readonly seed: number;
  readonly numRuns: number;
  /** Default: until all were made up. */
  readonly withinMs?: number;
}

/**
 * Makes requests up, asks the gateway's own code in this process about each, and attempts those that it allows. Says in
 * the test's diagnostics how many that were.
 * @throws Error with the request, made as small as it fails, where a server showed or touched what it should not.
 */
export async function assertReach(
  t: TestContext,
  trial: ReachTrial,
  requests: fc.Arbitrary<HostileRequest>,
  { seed, numRuns, withinMs }: Effort,
): Promise<void> {
  let [made, tried] = [0, 0];
  const property = fc.asyncProperty(requests, async (request) => {
    made++;
    if (!(await isWorthTrying(request))) return;
    tried++;
    assert.deepEqual(await trial.attempt(request), []);
  });
  const plugins = withinMs === undefined ? [] : [fc.interruptAfterTimeLimit(withinMs)];
  await fc.assert(property, { seed, numRuns, plugins });
  t.diagnostic(
    `seed ${seed}: ${tried} of ${made} allowed; answered below 400: ${JSON.stringify(trial.reached)}`,
  );
  assert.ok(tried > made / 50, 'enough of them come through');
}

/**
 * Whether the gateway's own code allows a request with the routes of a trial. False also for a folder copied or moved
 * into itself: some servers never come to an end with that.
 */
async function isWorthTrying(request: HostileRequest): Promise<boolean> {
  const { method, target, headers, body, scopes } = request;
  const answer = await ask({ method, target, headers, body, scopes, routes });
  if (answer.kind !== 'permit') return false;
  const source = canonicalPath(target.replace(/^https?:\/\/[^/]*/i, '').replace(/\?.*/, ''));
  if (answer.destination === null || typeof source !== 'string') return true;
  return !isInFolder(`${source.replace(/\/$/, '')}/` as CanonicalPath, answer.destination.path);
}

const nodes = { table: { n1: '/dav/files/alice/Photos/2024/' } };
const routes = [
  routeConfig({ match: { host: null, path: '/dav/' }, nodes }),
  routeConfig({ name: 'private', match: { host: null, path: '/dav/files/alice/Secret/' } }),
];
