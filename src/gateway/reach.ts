import type { Principal } from '../core/principal.ts';
import { loosePath } from '../core/loose-path.ts';
import { type CanonicalPath, isAncestor, isBelowFolder, isInFolder, isSameResource } from '../core/path.ts';
import type { Access } from '../core/scope.ts';
import type { AuthorizedRoute } from './authorized-route.ts';

/** What is needed of one path. */
export type Need = 'read' | 'write' | 'either';

/**
 * How far an operation on a path goes.
 *
 * - `resource`: the resource alone
 * - `contents`: also what is below it, should it be a folder
 * - `tree`: what is below it; a scope on one file never covers that
 * - `whole`: does away with the resource as it was, and all below: never the folder a scope names
 */
export type Extent = 'resource' | 'contents' | 'tree' | 'whole';

/** True where one of the principal's scopes covers the need on this path of this route. */
export function reaches(
  principal: Principal,
  route: AuthorizedRoute,
  path: CanonicalPath,
  need: Need,
  extent: Extent,
): boolean {
  for (const scope of principal.scopes) {
    if (scope.kind === 'everything') return true;
    if (!grants(scope.access, need)) continue;
    if (scope.kind === 'path') {
      if (covers(scope.path, scope.folder, path, extent)) return true;
    } else if (scope.kind === 'node') {
      const named = route.nodePath(scope.node);
      if (named !== null && covers(named, named.endsWith('/'), path, extent)) return true;
    } else if (scope.route === route.name && covers(route.prefix, true, path, extent)) {
      if (extent === 'resource' || !isAboveNested(route, path)) return true;
    }
  }
  return false;
}

/** True where the path is a folder above what one of the principal's scopes names. */
export function isAboveScope(principal: Principal, route: AuthorizedRoute, path: CanonicalPath): boolean {
  return principal.scopes.some((scope) => {
    if (scope.kind === 'path') return isAncestor(path, scope.path);
    if (scope.kind !== 'node') return false;
    const named = route.nodePath(scope.node);
    return named !== null && isAncestor(path, named);
  });
}

function isAboveNested({ nested }: AuthorizedRoute, path: CanonicalPath): boolean {
  if (nested.length === 0) return false;
  const loose = loosePath(path);
  return nested.some((below) => isAncestor(loose, below));
}

function grants(access: Access, need: Need): boolean {
  if (need === 'read') return access.read;
  return need === 'write' ? access.write : true;
}

function covers(named: CanonicalPath, folder: boolean, path: CanonicalPath, extent: Extent): boolean {
  if (!folder) return extent !== 'tree' && isSameResource(named, path);
  return extent === 'whole' ? isBelowFolder(named, path) : isInFolder(named, path);
}
