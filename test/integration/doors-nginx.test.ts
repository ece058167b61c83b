import { startAskingNginx } from '../support/asking-nginx.ts';
import { tryDoor } from '../support/door-trials.ts';
import { requireProgram } from '../support/requirement.ts';

tryDoor({
  door: 'nginx',
  requirement: requireProgram('nginx', 'curl'),
  start: startAskingNginx,
  relaysEveryStatus: false,
  relaysRetryAfter: true,
  removesFields: false,
  replacesTarget: true,
});
