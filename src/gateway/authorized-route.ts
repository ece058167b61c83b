import type { RouteConfig, RouteKind } from '../config/config.ts';
import { loosePath, type LoosePath } from '../core/loose-path.ts';
import { type CanonicalPath, isAncestor, isInFolder } from '../core/path.ts';
import { expandUser } from '../core/scope.ts';

/** What authorization needs to know of a route. */
export interface AuthorizedRoute {
  readonly name: string;
  readonly kind: RouteKind;
  /** The folder it serves; ends with a slash. */
  readonly prefix: CanonicalPath;
  /** Prefixes of other routes below this one, however spelled: recursion by a `route:` scope stops above them. */
  readonly nested: readonly LoosePath[];
  /** The folder or file that a `node:` scope's id names; null where it names nothing here. */
  nodePath(node: string): CanonicalPath | null;
  /** The user's chunked-upload folder (ends with a slash) where `path` is in it, else null. */
  uploadsAround(path: CanonicalPath, userName: string): CanonicalPath | null;
}

/** Prepares a route for authorization; `all` are the routes of the configuration. */
export function compileAuthorizedRoute(config: RouteConfig, all: readonly RouteConfig[]): AuthorizedRoute {
  const { match, uploads } = config;
  return {
    name: config.name,
    kind: config.kind,
    prefix: match.path as CanonicalPath,
    nested: all
      .filter((other) => match.host === null || other.match.host === null || other.match.host === match.host)
      .map((other) => loosePath(other.match.path))
      .filter((other) => isAncestor(loosePath(match.path), other)),
    nodePath: compileNodes(config.nodes),
    uploadsAround: compileUploads(uploads),
  };
}

function compileNodes(nodes: RouteConfig['nodes']): (node: string) => CanonicalPath | null {
  if (nodes === null) return () => null;
  if ('table' in nodes) {
    const paths = new Map(Object.entries(nodes.table));
    return (node) => (paths.get(node) ?? null) as CanonicalPath | null;
  }
  const at = nodes.template.indexOf('{node}');
  const before = nodes.template.slice(0, at);
  const after = nodes.template.slice(at + '{node}'.length);
  // Not checked again: what is no canonical path equals no request's path, nor is it above one.
  return (node) => (before + node + after) as CanonicalPath;
}

function compileUploads(template: string | null): AuthorizedRoute['uploadsAround'] {
  if (template === null) return () => null;
  const fixed = template.split('{user}', 1)[0] ?? '';
  return (path, userName) => {
    if (!path.startsWith(fixed)) return null;
    const folder = expandUser(template, userName);
    return folder !== null && isInFolder(folder, path) ? folder : null;
  };
}
