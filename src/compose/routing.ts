import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { createClientSideReader } from '../gateway/client-side.ts';
import type { DecideDeps } from '../gateway/decide.ts';
import { createFieldRules } from '../gateway/field-rules.ts';
import { traceFields } from '../gateway/request-trace.ts';
import { compileRoute, credentialNames, identityNames } from '../gateway/route.ts';
import { createRouteTable } from '../gateway/routes.ts';

/** Everything of the gateway that one configuration decides and the next one replaces. */
export interface Routing extends Pick<DecideDeps, 'rules' | 'clientSide' | 'routes' | 'authorization'> {
  /** Whether some route identifies users by signed assertions. */
  readonly sendsAssertions: boolean;
  /** Whether the route of this name accepts main passwords; null where there is no such route. */
  acceptsMainPassword(route: string): boolean | null;
  /** Lets running requests finish and closes the connections to the backends. */
  close(): Promise<void>;
}

/**
 * Prepares the routes of a configuration; opens no connection. `mistrusted` hears of a backend that sent what nobody
 * had asked for.
 */
export function createRouting(
  config: Config,
  clock: Clock,
  mistrusted: (route: string, backend: string) => void,
): Routing {
  const compiled = config.routes.map((route) =>
    compileRoute(route, config.routes, config.limits, clock, mistrusted),
  );
  const routes = createRouteTable(compiled);
  return {
    sendsAssertions: config.routes.some(({ identity }) => identity.assertion !== null),
    acceptsMainPassword: (name) => compiled.find((route) => route.name === name)?.mainPassword ?? null,
    routes,
    rules: createFieldRules(
      identityNames(config.routes),
      credentialNames(config.routes),
      config.tracing.enabled ? traceFields : [],
    ),
    clientSide: createClientSideReader(config.trustedProxies),
    authorization: {
      routeNameAt: (host, path) => routes.find(host, path)?.name ?? null,
      reportBytes: config.limits.reportBytes,
    },
    async close() {
      await Promise.all(compiled.map(({ backends }) => backends.close()));
    },
  };
}
