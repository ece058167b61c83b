import { startAskingHaproxy } from '../support/asking-haproxy.ts';
import { tryDoor } from '../support/door-trials.ts';
import { requireProgram } from '../support/requirement.ts';

tryDoor({
  door: 'haproxy',
  requirement: requireProgram('haproxy', 'curl'),
  start: startAskingHaproxy,
  relaysEveryStatus: true,
  relaysRetryAfter: true,
  removesFields: true,
  replacesTarget: true,
});
