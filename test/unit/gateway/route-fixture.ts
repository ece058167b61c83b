import type { RouteConfig } from '../../../src/config/config.ts';
import type { TokenId, UserId } from '../../../src/core/ids.ts';
import type { Principal } from '../../../src/core/principal.ts';
import type { Allowed } from '../../../src/gateway/decide.ts';
import { compileRoute } from '../../../src/gateway/route.ts';
import { routeConfig } from './authorize-fixture.ts';
import { passing } from './head-fixture.ts';

/** A clock that stands still until it is moved. */
export function createSteppedClock(): { now(): number; monotonic(): number; advance(ms: number): void } {
  let ms = 1_800_000_000_000;
  return {
    now: () => ms,
    monotonic: () => ms,
    advance: (by) => {
      ms += by;
    },
  };
}

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
export const backendLimits = { connectMs: 1_000, backendHeadMs: 1_000, backendConnections: 4 };

/** A request that was allowed on a route with this configuration. */
export function allowed(
  config: Partial<RouteConfig>,
  fields: readonly string[] = [],
  change: Partial<Pick<Allowed, 'permit' | 'principal'>> = {},
): Allowed {
  const head = passing(fields, { target: '/dav/a' });
  return {
    kind: 'allow',
    route: compileRoute(routeConfig(config), [], backendLimits, createSteppedClock(), () => undefined),
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
