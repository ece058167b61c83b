import { after, before, describe, test } from 'node:test';
import { requestByCase, requestByGrammar } from '../support/hostile-requests.ts';
import { assertReach } from '../support/reach-property.ts';
import { type ReachTrial, startReachTrial } from '../support/reach-trial.ts';
import { requireProgram } from '../support/requirement.ts';

describe(
  'for minutes, whatever is allowed, Apache, nginx and rclone show and touch nothing outside the scope',
  requireProgram('apache2', 'nginx', 'rclone'),
  () => {
    let trial: ReachTrial;
    before(async () => {
      trial = await startReachTrial();
    });
    after(() => trial?.stop());

    for (const [what, requests, withinMs] of [
      ['by grammar', requestByGrammar, 6 * 60_000],
      ['changed from our cases', requestByCase, 4 * 60_000],
    ] as const) {
      const seed = Math.trunc(Math.random() * 0x7fff_ffff);
      test(`requests ${what}, seed ${seed}`, (t) =>
        assertReach(t, trial, requests, { seed, numRuns: 1_000_000, withinMs }));
    }
  },
);
