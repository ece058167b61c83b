import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileRoute, credentialNames, identityNames } from '../../../src/gateway/route.ts';
import { steppedClock } from '../../support/stepped-clock.ts';
import { routeConfig } from '../../support/route-config.ts';
import { backendLimits } from './route-fixture.ts';

describe('a compiled route', () => {
  test('knows where it looks for credentials: headers in lower case, parameters as written', () => {
    const config = routeConfig({ accept: ['bearer', { header: 'apiToken' }, { query: 'Session' }] });
    const route = compileRoute(config, [config], backendLimits, steppedClock(), () => undefined);
    assert.deepEqual(route.accepted, {
      basic: false,
      bearer: true,
      headers: ['apitoken'],
      queries: ['Session'],
    });
    assert.equal(
      route.challenge.unauthenticated.some((value) => value.startsWith('Basic')),
      false,
    );
  });
});

describe('the names stripped from every request', () => {
  const one = routeConfig({
    accept: [{ header: 'apiToken' }, 'basic'],
    identity: { user: 'X-User', assertion: null, headers: {} },
  });
  const other = routeConfig({
    accept: [{ query: 'session' }, { header: 'X-Key' }],
    identity: { user: null, assertion: 'X-Proof', headers: { 'X-Who': '{user}' } },
  });

  test('are the identity headers of all routes, so that no route trusts what passed another', () => {
    assert.deepEqual(identityNames([one, other]), ['X-User', 'X-Proof', 'X-Who']);
  });

  test('are the credential headers of all routes', () => {
    assert.deepEqual(credentialNames([one, other]), ['apiToken', 'X-Key']);
  });
});
