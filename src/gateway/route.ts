import type { Clock } from '../core/clock.ts';
import type { RouteConfig } from '../config/config.ts';
import { type AuthorizedRoute, compileAuthorizedRoute } from './authorized-route.ts';
import type { BackendLimits } from './backend-connections.ts';
import { type BackendGroup, createBackendGroup } from './backends.ts';
import type { AcceptedChannels } from './credential.ts';
import { compileIdentityHeader, type IdentityHeader } from './identity-headers.ts';
import { type Challenge, createChallenge } from './refusal.ts';

/** A route with everything prepared that a request needs. */
export interface Route {
  readonly name: string;
  readonly config: RouteConfig;
  readonly match: RouteConfig['match'];
  readonly authorized: AuthorizedRoute;
  readonly accepted: AcceptedChannels;
  readonly mainPassword: boolean;
  readonly challenge: Challenge;
  readonly identity: readonly IdentityHeader[];
  readonly backends: BackendGroup;
  /** The Authorization value for the backend, or null where it wants none. */
  backendAuthorization(userName: string): string | null;
}

/**
 * Prepares a route; `all` are the routes of the configuration. Opens no connection. `mistrusted` hears of a backend
 * that sent what nobody had asked for.
 */
export function compileRoute(
  config: RouteConfig,
  all: readonly RouteConfig[],
  limits: BackendLimits,
  clock: Clock,
  mistrusted: (route: string, origin: string) => void,
): Route {
  const names = (key: 'header' | 'query'): string[] =>
    config.accept.flatMap((channel) =>
      typeof channel === 'object' && key in channel
        ? [(channel as Record<string, string>)[key] as string]
        : [],
    );
  const accepted = {
    basic: config.accept.includes('basic'),
    bearer: config.accept.includes('bearer'),
    headers: names('header').map((name) => name.toLowerCase()),
    queries: names('query'),
  };
  const identity = Object.entries(config.identity.headers).map(([name, template]) =>
    compileIdentityHeader(name, template, config.name),
  );
  if (config.identity.user !== null) {
    identity.unshift(compileIdentityHeader(config.identity.user, '{user}', config.name));
  }
  return {
    name: config.name,
    config,
    match: config.match,
    authorized: compileAuthorizedRoute(config, all),
    accepted,
    mainPassword: config.mainPassword === 'allow',
    challenge: createChallenge(accepted.basic),
    identity,
    backends: createBackendGroup(config.backend, limits, config, clock, (origin) =>
      mistrusted(config.name, origin),
    ),
    backendAuthorization: compileBackendAuthorization(config),
  };
}

/** Every header name by which these routes identify users, for stripping it from all requests. */
export function identityNames(routes: readonly RouteConfig[]): readonly string[] {
  return routes.flatMap(({ identity }) =>
    [identity.user, identity.assertion, ...Object.keys(identity.headers)].filter((name) => name !== null),
  );
}

/** Every header name in which these routes accept a credential. */
export function credentialNames(routes: readonly RouteConfig[]): readonly string[] {
  return routes.flatMap(({ accept }) =>
    accept.flatMap((channel) => (typeof channel === 'object' && 'header' in channel ? [channel.header] : [])),
  );
}

function compileBackendAuthorization(config: RouteConfig): (userName: string) => string | null {
  const auth = config.backendAuth;
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
  switch (auth.kind) {
    case 'none':
      return () => null;
    case 'serviceAccount': {
      const fixed = basic(auth.user, auth.password);
      return () => fixed;
    }
    case 'sharedSecret':
      return (userName) => basic(userName, auth.secret);
    default:
      return auth satisfies never;
  }
}
