import type { RouteKind } from '../../../config/config.ts';
import { pathFromText } from '../../../core/path.ts';
import { parseScope } from '../../../core/scope.ts';

/** What pages know of a route. */
export interface KnownRoute {
  readonly name: string;
  readonly kind: RouteKind;
  /** Decoded, with slashes at both ends. */
  readonly path: string;
  /** Null: every host. */
  readonly host: string | null;
}

/** An address that a person gives to an app. */
export interface ServerAddress {
  readonly routeName: string;
  readonly kind: RouteKind;
  readonly url: string;
}

/**
 * The addresses for a token, the likeliest first: of its folder where it reaches one alone, else of every route that
 * it may use. `origin` is ours as the browser sees it.
 */
export function serverAddresses(
  routes: readonly KnownRoute[],
  scopes: readonly string[],
  origin: string,
  userName: string,
): readonly ServerAddress[] {
  const folder = onlyFolder(scopes);
  if (folder !== null) {
    const route = routes
      .filter(({ path }) => folder.startsWith(placeOf(path, userName)))
      .toSorted((a, b) => b.path.length - a.path.length)[0];
    if (route !== undefined) return [addressOf(route, origin, folder)];
  }
  const named = new Set(scopes.flatMap(routeName));
  const reachesMore = scopes.some((scope) => routeName(scope).length === 0);
  return routes
    .filter(({ name }) => reachesMore || named.has(name))
    .toSorted((a, b) => kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind))
    .map((route) => addressOf(route, origin, placeOf(route.path, userName)));
}

const kindOrder: readonly RouteKind[] = ['webdav', 'caldav', 'rest'];

function addressOf({ name, kind, host }: KnownRoute, origin: string, path: string): ServerAddress {
  const url = new URL(origin);
  if (host !== null && url.hostname !== host) url.host = host;
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return { routeName: name, kind, url: url.origin + encoded };
}

function placeOf(path: string, userName: string): string {
  return path.replaceAll('{user}', () => userName);
}

function onlyFolder(scopes: readonly string[]): string | null {
  const [only] = scopes;
  if (scopes.length !== 1 || only === undefined) return null;
  const scope = parseScope(only);
  if (scope.kind !== 'path' || !scope.folder) return null;
  const path = pathFromText(only.slice('path:'.length, only.lastIndexOf(':')));
  return typeof path === 'string' && path !== '/' ? path : null;
}

function routeName(text: string): readonly string[] {
  const scope = parseScope(text);
  return scope.kind === 'route' ? [scope.route] : [];
}
