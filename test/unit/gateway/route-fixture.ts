import type { RouteConfig } from '../../../src/config/config.ts';
import type { TokenId, UserId } from '../../../src/core/ids.ts';
import type { Principal } from '../../../src/core/principal.ts';
import type { Allowed } from '../../../src/gateway/decide.ts';
import { compileRoute } from '../../../src/gateway/route.ts';
import { steppedClock } from '../../support/stepped-clock.ts';
import { routeConfig } from '../../support/route-config.ts';
import { passing } from './head-fixture.ts';

/** Alice with a token that may do everything. */
export function principal(change: Partial<Principal> = {}): Principal {
  return {
    userId: '0198c5d0-0000-7000-8000-000000000001' as UserId,
    userName: 'alice',
    tokenId: '0198c5d0-0000-7000-8000-000000000002' as TokenId,
    scopes: [{ kind: 'everything' }],
    ...change,
  };
}

/** Limits that no test here reaches. */
export const backendLimits = {
  connectMs: 1_000,
  backendHeadMs: 1_000,
  backendConnections: 4,
  backendWaitMs: 1_000,
};

/** A request that was allowed on a route with this configuration. */
export function allowed(
  config: Partial<RouteConfig>,
  fields: readonly string[] = [],
  change: Partial<Pick<Allowed, 'permit' | 'principal'>> = {},
): Allowed {
  const head = passing(fields, { target: '/dav/a' });
  return {
    kind: 'allow',
    route: compileRoute(routeConfig(config), [], backendLimits, steppedClock(), () => undefined),
    scheme: 'basic',
    tier: 'l1',
    clientAddress: head.clientAddress,
    head,
    principal: principal(),
    permit: { kind: 'permit', destination: null, dropDestination: false, ifHeader: null, body: null },
    query: '',
    ...change,
  };
}
