import { loosePath } from '../core/loose-path.ts';
import type { CanonicalPath } from '../core/path.ts';
import { sitePath } from '../core/site-path.ts';

/** What a route needs for being found. */
export interface Located {
  readonly match: { readonly host: string | null; readonly path: string };
}

/** Finds the route of a request. */
export interface RouteTable<Route extends Located> {
  /**
   * The route with the longest path prefix, whole segments, among those of this host; where the
   * host has none, among those of every host. Null where nothing matches, for all below `/.latchkey/`, which
   * is the gateway's own, and where a server that reads paths loosely (see `loosePath`: another case of letters, path
   * parameters cut off) would see the path of another route.
   */
  find(host: string, path: CanonicalPath): Route | null;
  /** For the log, of a path that `find` has no route for: whether none matches, or a loose reader would see another's. */
  whyNone(host: string, path: CanonicalPath): 'no route' | 'spelled like the path of another route';
}

/** The routes of one host: those whose prefixes have one length together, the longest first. */
type Prefixes<Route> = readonly { readonly length: number; readonly routes: ReadonlyMap<string, Route> }[];

/**
 * Compiles the table once. Finding costs at most one look-up per path segment, however many routes there are.
 * Hosts compare without regard to case or a final dot; a route's host without a port matches every port.
 */
export function createRouteTable<Route extends Located>(routes: readonly Route[]): RouteTable<Route> {
  const locate = createLocator(routes);
  const loosely = new Map(routes.map((route) => [route, { match: withLoosePath(route.match) }]));
  const locateLoosely = createLocator([...loosely.values()]);
  const several = new Set([...loosely.values()].map(({ match }) => match.path)).size > 1;
  return {
    find(host, path) {
      const route = locate(host, path);
      if (route === null || !several) return route;
      const loose = locateLoosely(host, loosePath(path));
      return loose !== null && loose.match.path === loosely.get(route)?.match.path ? route : null;
    },
    whyNone: (host, path) =>
      locate(host, path) === null ? 'no route' : 'spelled like the path of another route',
  };
}

function withLoosePath({ host, path }: Located['match']): Located['match'] {
  return { host, path: loosePath(path) };
}

/** Finds by host and longest prefix, never below the gateway's own. */
function createLocator<Route extends Located>(
  routes: readonly Route[],
): (host: string, path: string) => Route | null {
  const hostOf = (route: Route): string | null =>
    route.match.host === null ? null : withoutFinalDot(route.match.host.toLowerCase());
  const everyHost = compilePrefixes(routes.filter((route) => hostOf(route) === null));
  const byHost = new Map<string, Prefixes<Route>>();
  for (const host of new Set(routes.map(hostOf))) {
    if (host === null) continue;
    // With its port named, a host has its own routes and those it has on every port.
    const name = withoutPort(host);
    const every = name === host ? [] : routes.filter((route) => hostOf(route) === name);
    byHost.set(host, compilePrefixes([...every, ...routes.filter((route) => hostOf(route) === host)]));
  }
  return (host, path) => {
    if (path === sitePath || path.startsWith(ownPrefix)) return null;
    if (byHost.size > 0) {
      const found = longestPrefix(routesOfHost(byHost, host), path);
      if (found !== null) return found;
    }
    return longestPrefix(everyHost, path);
  };
}

const ownPrefix = `${sitePath}/`;

function routesOfHost<Route>(byHost: ReadonlyMap<string, Prefixes<Route>>, host: string): Prefixes<Route> {
  const exact = byHost.get(host);
  if (exact !== undefined) return exact;
  const plain = withoutFinalDot(host);
  return byHost.get(plain) ?? byHost.get(withoutPort(plain)) ?? [];
}

function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon === -1 || host.endsWith(']') ? host : host.slice(0, colon);
}

/** `name.` and `name.:port` are the same host as without the dot. */
function withoutFinalDot(host: string): string {
  return host.replace(/\.(?=$|:)/, '');
}

/** Of two routes with one prefix the later counts. */
function compilePrefixes<Route extends Located>(routes: readonly Route[]): Prefixes<Route> {
  const byLength = new Map<number, Map<string, Route>>();
  for (const route of routes) {
    const { path } = route.match;
    const sameLength = byLength.get(path.length) ?? new Map<string, Route>();
    byLength.set(path.length, sameLength.set(path, route));
  }
  return [...byLength]
    .map(([length, found]) => ({ length, routes: found }))
    .toSorted((a, b) => b.length - a.length);
}

function longestPrefix<Route>(prefixes: Prefixes<Route>, path: string): Route | null {
  for (const { length, routes } of prefixes) {
    // A prefix ends with a slash: only where the path has one there can it match.
    if (path.charCodeAt(length - 1) !== slash && path.length !== length - 1) continue;
    const found = routes.get(path.length < length ? `${path}/` : path.slice(0, length));
    if (found !== undefined) return found;
  }
  return null;
}

const slash = 0x2f;
