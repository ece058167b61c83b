import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type HostileRequest, requestByCase, requestByGrammar } from '../support/hostile-requests.ts';
import { assertReach } from '../support/reach-property.ts';
import { type ReachTrial, startReachTrial } from '../support/reach-trial.ts';
import { requireProgram } from '../support/requirement.ts';

const secret = '/dav/files/alice/Secret';
const photos = '/dav/files/alice/Photos';
const anySeed = Math.trunc(Math.random() * 0x7fff_ffff);

describe(
  'whatever is allowed, Apache, nginx and rclone show and touch nothing outside the scope',
  requireProgram('apache2', 'nginx', 'rclone'),
  () => {
    let trial: ReachTrial;
    before(async () => {
      trial = await startReachTrial();
    });
    after(() => trial?.stop());

    for (const [what, requests, numRuns] of [
      ['by grammar', requestByGrammar, 3_000],
      ['changed from our cases', requestByCase, 2_000],
    ] as const) {
      for (const seed of [20_261_121, anySeed]) {
        test(`requests ${what}, seed ${seed}`, (t) =>
          assertReach(t, trial, requests, { seed, numRuns, withinMs: 12_000 }));
      }
    }

    for (const [method, target, destination, expected] of [
      ['GET', `${secret}/x`, null, { apache: 'shows', nginx: 'shows', rclone: 'shows' }],
      ['HEAD', `${secret}/x`, null, { apache: 'shows', nginx: 'shows', rclone: 'shows' }],
      ['PROPFIND', `${secret}/`, null, { apache: 'shows', rclone: 'shows' }],
      ['PUT', `${secret}/x`, null, { apache: 'touches', nginx: 'touches', rclone: 'touches' }],
      ['PUT', `${secret}/made`, null, { apache: 'touches', nginx: 'touches', rclone: 'touches' }],
      ['DELETE', `${secret}/`, null, { apache: 'touches', nginx: 'touches', rclone: 'touches' }],
      ['MOVE', `${secret}/x`, `${photos}/made`, { apache: 'touches', nginx: 'touches', rclone: 'touches' }],
      ['COPY', `${secret}/x`, `${photos}/made`, { apache: 'carries', nginx: 'carries', rclone: 'carries' }],
    ] as const) {
      test(`a token for everything is seen to reach outside: ${method} ${target} (control)`, async () => {
        const headers = {
          ...(method === 'PROPFIND' ? { Depth: '1' } : {}),
          ...(destination === null ? {} : { Destination: destination }),
        };
        const request: HostileRequest = { method, target, headers, body: '', scopes: ['*'] };
        const complaints = await trial.attempt(request);
        for (const [server, how] of Object.entries(expected)) {
          assert.ok(
            complaints.some((each) => each.startsWith(`${server} ${how} files/alice/Secret/`)),
            `${server}: ${complaints.join()}`,
          );
        }
      });
    }
  },
);
