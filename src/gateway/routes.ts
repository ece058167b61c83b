import type { CanonicalPath } from '../core/path.ts';

/** What a route needs for being found. */
export interface Located {
  readonly match: { readonly host: string | null; readonly path: string };
}

/** Finds the route of a request. */
export interface RouteTable<Route extends Located> {
  /**
   * The route with the longest path prefix, whole segments, among those of this host; where the
   * host has none, among those of every host. Null where nothing matches, and for all below
   * `/.latchkey/`, which is the gateway's own.
   */
  find(host: string, path: CanonicalPath): Route | null;
}

/** The path prefix that never reaches a backend. */
export const ownPrefix = '/.latchkey/';

/**
 * Compiles the table once. Finding costs one look-up per path segment, however many routes there are.
 * Hosts compare without regard to case; a route's host without a port matches every port.
 */
export function createRouteTable<Route extends Located>(routes: readonly Route[]): RouteTable<Route> {
  const byHost = new Map<string, Map<string, Route>>();
  const everyHost = new Map<string, Route>();
  for (const route of routes) {
    const host = route.match.host?.toLowerCase() ?? null;
    let paths = host === null ? everyHost : byHost.get(host);
    if (paths === undefined) {
      paths = new Map();
      byHost.set(host as string, paths);
    }
    paths.set(route.match.path, route);
  }
  const noHosts = byHost.size === 0;
  return {
    find(host, path) {
      if (path.startsWith('/.latchkey') && (path.length === 10 || path.charCodeAt(10) === 0x2f)) return null;
      if (!noHosts) {
        const named = byHost.get(host) ?? byHost.get(withoutPort(host));
        const found = named === undefined ? null : longestPrefix(named, path);
        if (found !== null) return found;
      }
      return longestPrefix(everyHost, path);
    },
  };
}

function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon === -1 || host.endsWith(']') ? host : host.slice(0, colon);
}

/** Cuts segments off the end until what is left is some route's prefix. */
function longestPrefix<Route>(paths: ReadonlyMap<string, Route>, path: string): Route | null {
  if (paths.size === 0) return null;
  const whole = paths.get(path.endsWith('/') ? path : `${path}/`);
  if (whole !== undefined) return whole;
  for (
    let slash = path.lastIndexOf('/');
    slash >= 0;
    slash = slash === 0 ? -1 : path.lastIndexOf('/', slash - 1)
  ) {
    const found = paths.get(path.slice(0, slash + 1));
    if (found !== undefined) return found;
  }
  return null;
}
