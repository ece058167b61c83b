import { checkDecodedPath, pathFromText, pathToText } from './path.ts';
import type { CanonicalPath } from './path.ts';
import { printable } from './printable.ts';

/** Read, write or both. */
export interface Access {
  readonly read: boolean;
  readonly write: boolean;
}

/** What a token may do; a token holds several and may do what any one of them allows. */
export type Scope =
  | { readonly kind: 'everything' }
  | { readonly kind: 'path'; readonly path: CanonicalPath; readonly folder: boolean; readonly access: Access }
  | { readonly kind: 'node'; readonly node: string; readonly access: Access }
  | { readonly kind: 'route'; readonly route: string; readonly access: Access };

/** Why a text is no scope: one sentence that names the text and the next step. */
export interface ScopeProblem {
  readonly kind: 'scope_problem';
  readonly detail: string;
}

/** Scopes one token may hold. */
export const scopesMax = 64;
/** Length of one scope's text, UTF-8 bytes. */
export const scopeBytesMax = 4096;

/** Reads one scope in its text form; `{user}` stays as it is (see `expandScope`). */
export function parseScope(text: string): Scope | ScopeProblem {
  if (Buffer.byteLength(text) > scopeBytesMax) {
    return {
      kind: 'scope_problem',
      detail: `A scope is longer than ${scopeBytesMax} bytes: name a shorter path.`,
    };
  }
  if (text === '*') return { kind: 'everything' };
  const colon = text.indexOf(':');
  const kind = colon === -1 ? '' : text.slice(0, colon);
  if (kind === 'api') {
    return refuse(text, 'api: scopes are not understood by this version; use path: or route:');
  }
  if (kind !== 'path' && kind !== 'node' && kind !== 'route') {
    return refuse(text, 'a scope is * or starts with path:, node: or route:');
  }
  const end = text.lastIndexOf(':');
  const access = end === colon ? undefined : accessBySuffix.get(text.slice(end + 1));
  if (access === undefined) return refuse(text, 'it must end with :r, :w or :rw');
  const name = text.slice(colon + 1, end);
  if (kind === 'path') return pathScope(text, name, access);
  return kind === 'node' ? nodeScope(text, name, access) : routeScope(text, name, access);
}

/** Reads the scopes of one token: at least one, at most `scopesMax`. The first problem ends it. */
export function parseScopes(texts: readonly string[]): readonly Scope[] | ScopeProblem {
  if (texts.length === 0) {
    return {
      kind: 'scope_problem',
      detail: 'A token needs a scope: give * for everything, or path:/folder/:r.',
    };
  }
  if (texts.length > scopesMax) {
    return {
      kind: 'scope_problem',
      detail: `A token holds at most ${scopesMax} scopes: name a common folder instead.`,
    };
  }
  const scopes: Scope[] = [];
  for (const text of texts) {
    const scope = parseScope(text);
    if (scope.kind === 'scope_problem') return scope;
    scopes.push(scope);
  }
  return scopes;
}

/** The text form; `parseScope` reads it back as the same scope. */
export function formatScope(scope: Scope): string {
  if (scope.kind === 'everything') return '*';
  const suffix = `${scope.access.read ? 'r' : ''}${scope.access.write ? 'w' : ''}`;
  if (scope.kind === 'path') return `path:${pathToText(scope.path)}:${suffix}`;
  return scope.kind === 'node' ? `node:${scope.node}:${suffix}` : `route:${scope.route}:${suffix}`;
}

/**
 * Puts the user's name in place of `{user}` in a path scope; done once, when a token is minted.
 * The name is data: one that would add or change segments (a slash, `..`, a control) is a problem.
 */
export function expandScope(scope: Scope, userName: string): Scope | ScopeProblem {
  if (scope.kind !== 'path' || !scope.path.includes(userPlaceholder)) return scope;
  const path = expandUser(scope.path, userName);
  if (path !== null) return { ...scope, path };
  return refuse(
    formatScope(scope),
    'the user name cannot stand in a path; write the folder out instead of {user}',
  );
}

/**
 * Puts a user's name in place of `{user}` in a decoded path. Null where the name is empty or would add
 * or change segments, or where the outcome is no canonical path.
 */
export function expandUser(path: string, userName: string): CanonicalPath | null {
  if (userName === '' || /[/\\]/.test(userName)) return null;
  const expanded = checkDecodedPath(path.replaceAll(userPlaceholder, () => userName));
  return typeof expanded === 'string' ? expanded : null;
}

const userPlaceholder = '{user}';

const accessBySuffix: ReadonlyMap<string, Access> = new Map<string, Access>([
  ['r', { read: true, write: false }],
  ['w', { read: false, write: true }],
  ['rw', { read: true, write: true }],
]);

function pathScope(text: string, name: string, access: Access): Scope | ScopeProblem {
  const path = pathFromText(name);
  if (typeof path !== 'string') return refuse(text, `its path cannot be used: ${path.detail}`);
  return { kind: 'path', path, folder: path.endsWith('/'), access };
}

function nodeScope(text: string, node: string, access: Access): Scope | ScopeProblem {
  // Scopes are listed with spaces between them in assertions: a node that holds one would read as several.
  const alone = !/[\s/]/.test(node) && node !== '' && typeof checkDecodedPath(`/${node}`) === 'string';
  if (!alone)
    return refuse(text, 'a node is named by one identifier without slashes and spaces, such as a UUID');
  return { kind: 'node', node, access };
}

function routeScope(text: string, route: string, access: Access): Scope | ScopeProblem {
  if (!/^[^\s:/\p{C}]+$/u.test(route))
    return refuse(text, 'a route is named as in the configuration: route:NAME:rw');
  return { kind: 'route', route, access };
}

function refuse(text: string, why: string): ScopeProblem {
  return { kind: 'scope_problem', detail: `Scope "${printable(text)}": ${why}.` };
}
