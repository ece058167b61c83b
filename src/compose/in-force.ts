import type { Config } from '../config/config.ts';
import type { Routing } from './routing.ts';

/** What a reload replaces; everybody who goes by it asks every time. */
export interface InForce {
  readonly limits: Config['limits'];
  readonly routing: Routing;
  /**
   * Puts the limits and routes of another configuration in force. Returns the keys that differ from the first
   * configuration's and need a restart.
   */
  replace(next: Config): readonly string[];
}

/** Begins with the configuration of the start; `route` prepares the routes of each. */
export function putInForce(first: Config, route: (config: Config) => Routing): InForce {
  let { limits } = first;
  let routing = route(first);
  return {
    get limits() {
      return limits;
    },
    get routing() {
      return routing;
    },
    replace(next) {
      // The former routes' connections close as they fall idle: requests may still be using them.
      routing = route(next);
      ({ limits } = next);
      return keysNeedingRestart(first, next);
    },
  };
}

/** Keys that `replace` puts in force. */
const replacedKeys: ReadonlySet<string> = new Set([
  'routes',
  'trustedProxies',
  'connectMs',
  'backendHeadMs',
  'backendConnections',
  'reportBytes',
  'headMs',
  'keepAliveMs',
  'idleMs',
  'bodyRateMin',
  'connections',
  'connectionsPerClient',
  'requestsPerToken',
]);

function keysNeedingRestart(former: Config, next: Config): readonly string[] {
  const lasting = (part: unknown): string =>
    JSON.stringify(part, (key, value: unknown) => (replacedKeys.has(key) ? undefined : value));
  return Object.entries(next)
    .filter(
      ([key, value]) => !replacedKeys.has(key) && lasting(former[key as keyof Config]) !== lasting(value),
    )
    .map(([key]) => key);
}
