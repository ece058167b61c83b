import { isBelowFolder, isInFolder } from './path.ts';
import type { Access, Scope } from './scope.ts';

/**
 * Whether everything that `scope` lets a token do, `allowed` would let it do too. Path, node and route scopes are never
 * within each other: which path a route or node stands for is a matter of configuration. Looking at folders above a
 * scope, which clients do before they open it, is not counted.
 */
export function isScopeWithin(scope: Scope, allowed: Scope): boolean {
  if (allowed.kind === 'everything') return true;
  if (scope.kind === 'everything' || !isAccessWithin(scope.access, allowed.access)) return false;
  if (scope.kind === 'path' && allowed.kind === 'path') {
    if (!allowed.folder) return !scope.folder && scope.path === allowed.path;
    // A file of the folder's own name could be deleted as a whole, which the folder cannot.
    return scope.folder ? isInFolder(allowed.path, scope.path) : isBelowFolder(allowed.path, scope.path);
  }
  if (scope.kind === 'node' && allowed.kind === 'node') return scope.node === allowed.node;
  return scope.kind === 'route' && allowed.kind === 'route' && scope.route === allowed.route;
}

function isAccessWithin(access: Access, allowed: Access): boolean {
  return (allowed.read || !access.read) && (allowed.write || !access.write);
}
