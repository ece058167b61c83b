import { startAskingCaddy } from '../support/asking-caddy.ts';
import { tryDoor } from '../support/door-trials.ts';
import { requireProgram } from '../support/requirement.ts';

tryDoor({
  door: 'caddy',
  requirement: requireProgram('caddy', 'curl'),
  start: startAskingCaddy,
  relaysEveryStatus: true,
  relaysRetryAfter: true,
  copiesForTheBackend: false,
  removesFields: false,
  replacesTarget: false,
});
