import type { XmlElement } from './xml.ts';
import { readXml } from './xml.ts';

/** What a REPORT or SEARCH body reaches: the target, and the resources that it names. */
export interface BodyReach {
  /** `target`: the target alone; `tree`: also what is below it; `unbounded`: more than can be told. */
  readonly of: 'target' | 'tree' | 'unbounded';
  /** Every href of the body, as written. */
  readonly hrefs: readonly string[];
  /** True where what is below the hrefs is read too. */
  readonly hrefTrees: boolean;
}

/** What a REPORT body reaches (RFC 3253, 4791, 6352, 6578); null where it cannot be read. */
export function readReport(body: Uint8Array): BodyReach | null {
  const root = readXml(body);
  if (root === null) return null;
  const hrefs = collectHrefs(root);
  if (hrefs === null) return null;
  return { of: reportReach.get(root.name) ?? 'unbounded', hrefs, hrefTrees: false };
}

/** What a SEARCH body reaches (RFC 5323): bounded only where a basicsearch names all its scopes. */
export function readSearch(body: Uint8Array): BodyReach | null {
  const root = readXml(body);
  if (root === null) return null;
  const hrefs = collectHrefs(root);
  if (hrefs === null) return null;
  return { of: isScopedSearch(root) ? 'target' : 'unbounded', hrefs, hrefTrees: true };
}

/** Reports whose reach is known; all else, such as expand-property and principal searches, is unbounded. */
const reportReach: ReadonlyMap<string, 'target' | 'tree'> = new Map<string, 'target' | 'tree'>([
  ['{DAV:}version-tree', 'target'],
  ['{DAV:}sync-collection', 'tree'],
  ['{urn:ietf:params:xml:ns:caldav}calendar-query', 'tree'],
  ['{urn:ietf:params:xml:ns:caldav}free-busy-query', 'tree'],
  ['{urn:ietf:params:xml:ns:carddav}addressbook-query', 'tree'],
  ['{urn:ietf:params:xml:ns:caldav}calendar-multiget', 'target'],
  ['{urn:ietf:params:xml:ns:carddav}addressbook-multiget', 'target'],
]);

function isScopedSearch(root: XmlElement): boolean {
  const query = root.children[0];
  if (root.name !== '{DAV:}searchrequest' || root.children.length !== 1) return false;
  if (query === undefined || query.name !== '{DAV:}basicsearch') return false;
  const from = query.children.filter((child) => child.name === '{DAV:}from');
  const scopes = from[0]?.children ?? [];
  if (from.length !== 1 || scopes.length === 0) return false;
  return scopes.every(
    (scope) =>
      scope.name === '{DAV:}scope' &&
      scope.children.filter((child) => child.name === '{DAV:}href').length === 1,
  );
}

/**
 * The text of every element called href, whatever its namespace and place: servers differ in where they look.
 * Null where one holds a comment, CDATA or an element, which servers read differently.
 */
function collectHrefs(root: XmlElement): string[] | null {
  const hrefs: string[] = [];
  const pending: XmlElement[] = [root];
  for (let element = pending.pop(); element !== undefined; element = pending.pop()) {
    if (element.name.endsWith('}href')) {
      if (!element.plainText) return null;
      hrefs.push(trimXmlSpace(element.text));
    }
    for (const child of element.children) pending.push(child);
  }
  return hrefs;
}

/** Cuts XML's own white space off both ends, no other: in one pass, however long it is. */
function trimXmlSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isXmlSpace(text.charCodeAt(start))) start++;
  while (end > start && isXmlSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isXmlSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
