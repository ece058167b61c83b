import type { Config } from '../config/config.ts';
import type { Routing } from './routing.ts';

/** What a reload replaces; everybody who goes by it asks every time. */
export interface InForce {
  readonly limits: Config['limits'];
  readonly routing: Routing;
  /**
   * Puts the limits and routes of another configuration in force. Returns the keys that differ from the first
   * configuration's and need a restart, as the file has them: `limits.drain`.
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
  'backendWaitMs',
  'reportBytes',
  'headMs',
  'keepAliveMs',
  'idleMs',
  'bodyRateMin',
  'connections',
  'connectionsPerClient',
  'requestsPerToken',
]);

/** Maps of which a reload replaces a part, or whose keys an operator changes one by one: named key by key. */
const namedByKey: ReadonlySet<string> = new Set([
  'listen',
  'admin',
  'doors',
  'limits',
  'audit',
  'tracing',
  'log',
]);

/** Keys that differ and that no reload replaces, as they are written in the file: `limits.drain`, not `drainMs`. */
export function keysNeedingRestart(former: Config, next: Config): readonly string[] {
  return Object.keys(next)
    .flatMap((key): readonly (readonly string[])[] => {
      const value = next[key as keyof Config];
      return namedByKey.has(key) ? Object.keys(value as object).map((inner) => [key, inner]) : [[key]];
    })
    .filter((path) => !replacedKeys.has(path.at(-1) ?? '') && textAt(former, path) !== textAt(next, path))
    .filter((path) => path.join('.') !== 'listen.tls' || tlsNeedsRestart(former.listen.tls, next.listen.tls))
    .map((path) => path.join('.').replace(/(?:Ms|Bytes)$/, ''));
}

/** Certificates are replaced at a reload; with TLS or without is for good. */
function tlsNeedsRestart(former: Config['listen']['tls'], next: Config['listen']['tls']): boolean {
  return former === null || next === null || former.http2 !== next.http2;
}

function textAt(config: Config, path: readonly string[]): string | undefined {
  return JSON.stringify(path.reduce((part: unknown, key) => (part as Record<string, unknown>)[key], config));
}
