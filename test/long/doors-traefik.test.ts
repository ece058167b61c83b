import { startAskingTraefik } from '../support/asking-traefik.ts';
import { tryDoor } from '../support/door-trials.ts';
import { requireProgram } from '../support/requirement.ts';

tryDoor({
  door: 'traefik',
  requirement: requireProgram('traefik', 'curl'),
  start: startAskingTraefik,
  relaysEveryStatus: true,
  relaysRetryAfter: true,
  removesFields: false,
  replacesTarget: false,
});
