/**
 * What a method asks of the scopes that cover its target.
 *
 * - `read`: reads the target alone (GET, HEAD)
 * - `options`, `propfind`: read; also a client's probe on the folders above a scope
 * - `write`: changes the target or what is below it
 * - `post`: write; on WebDAV routes read, too, as servers answer it with the content of a file that stands there
 * - `replace`: does away with what the target was (PUT, DELETE): never the folder a scope names
 * - `copy`, `move`: concern the Destination as well
 * - `report`, `search`: read what their body says
 * - `unbounded`: unknown, or its headers or body name other resources: for tokens that may do everything
 */
export type MethodAction =
  | 'read'
  | 'options'
  | 'propfind'
  | 'write'
  | 'post'
  | 'replace'
  | 'copy'
  | 'move'
  | 'report'
  | 'search'
  | 'unbounded';

/** The action of a method, compared with regard to case as RFC 9110 section 9.1 demands. */
export function methodAction(method: string): MethodAction {
  return actions.get(method) ?? 'unbounded';
}

/**
 * The IANA method registry as far as the effect is bounded to the target. Left out, and so unbounded:
 * BASELINE-CONTROL, BIND, LINK, MERGE, MKREDIRECTREF, REBIND, UNBIND, UNLINK, UPDATE, UPDATEREDIRECTREF and
 * VERSION-CONTROL, whose bodies or headers name other resources; CONNECT, PRI and TRACE, which are no
 * business of a backend.
 */
const actions: ReadonlyMap<string, MethodAction> = new Map<string, MethodAction>([
  ['GET', 'read'],
  ['HEAD', 'read'],
  ['OPTIONS', 'options'],
  ['PROPFIND', 'propfind'],
  ['REPORT', 'report'],
  ['SEARCH', 'search'],
  ['PUT', 'replace'],
  ['DELETE', 'replace'],
  ['COPY', 'copy'],
  ['MOVE', 'move'],
  ['POST', 'post'],
  ['PATCH', 'write'],
  ['MKCOL', 'write'],
  ['MKCALENDAR', 'write'],
  ['PROPPATCH', 'write'],
  ['LOCK', 'write'],
  ['UNLOCK', 'write'],
  ['ACL', 'write'],
  ['ORDERPATCH', 'write'],
  ['CHECKIN', 'write'],
  ['CHECKOUT', 'write'],
  ['UNCHECKOUT', 'write'],
  ['LABEL', 'write'],
  ['MKACTIVITY', 'write'],
  ['MKWORKSPACE', 'write'],
]);
