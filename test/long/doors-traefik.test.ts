import { startAskingTraefik } from '../support/asking-traefik.ts';
import { tryDoor } from '../support/door-trials.ts';
import { findProgram } from '../support/requirement.ts';

tryDoor({
  door: 'traefik',
  // No package registry that we use has it: docs/doors.md says how it is built.
  requirement: { skip: findProgram('traefik') === null && 'not installed: traefik' },
  start: startAskingTraefik,
  relaysEveryStatus: true,
  relaysRetryAfter: true,
  passesUpgrades: true,
  removesFields: false,
  replacesTarget: false,
});
