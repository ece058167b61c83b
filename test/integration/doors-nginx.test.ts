import { startAskingNginx } from '../support/asking-nginx.ts';
import { tryDoor } from '../support/door-trials.ts';
import { requireProgram } from '../support/requirement.ts';

tryDoor({
  door: 'nginx',
  requirement: requireProgram('nginx', 'curl'),
  start: (places) => startAskingNginx('nginx/latchkey.conf', places),
  relaysEveryStatus: false,
  removesFields: false,
  replacesTarget: true,
});
