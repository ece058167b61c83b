import { startAskingIngressNginx } from '../support/asking-ingress-nginx.ts';
import { tryDoor } from '../support/door-trials.ts';
import { requireProgram } from '../support/requirement.ts';

tryDoor({
  door: 'ingress-nginx',
  requirement: requireProgram('nginx', 'curl'),
  start: startAskingIngressNginx,
  relaysEveryStatus: false,
  relaysRetryAfter: false,
  hides: ['x-original-url', 'x-original-uri', 'x-original-method'],
  passesProxyCredentials: true,
  removesFields: false,
  replacesTarget: false,
});
