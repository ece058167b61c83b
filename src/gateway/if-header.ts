import { readOwnUrl } from './own-url.ts';
import type { OwnResource } from './own-url.ts';

/** A resource tag of an If field, with where it stands in the text, angle brackets excluded. */
export interface ResourceTag extends OwnResource {
  readonly start: number;
  readonly end: number;
}

/** An If field whose grammar was checked whole. */
export interface ParsedIf {
  readonly text: string;
  /** Empty for a No-tag-list. */
  readonly tags: readonly ResourceTag[];
}

/** Resource tags one field may hold; real clients send one or two. */
const tagsMax = 100;

/**
 * Reads an If field by the grammar of RFC 4918 section 10.4.2, nothing looser. Null where it does not
 * follow the grammar, or where a tag is no resource on `host`.
 */
export function parseIf(text: string, host: string): ParsedIf | null {
  const tags: ResourceTag[] = [];
  let at = skipSpace(text, 0);
  if (text[at] === '(') {
    at = readLists(text, at);
  } else {
    while (at !== -1 && text[at] === '<') {
      const end = text.indexOf('>', at);
      const tag = end === -1 ? null : readTag(text.slice(at + 1, end), host);
      if (tag === null || tags.length === tagsMax) return null;
      tags.push({ ...tag, start: at + 1, end });
      at = readLists(text, skipSpace(text, end + 1));
    }
    if (tags.length === 0) return null;
  }
  return at === text.length ? { text, tags } : null;
}

/** The field with every tag moved to `origin` (scheme and authority, no path), its path bytes kept. */
export function rewriteIf(parsed: ParsedIf, origin: string): string {
  let rewritten = '';
  let from = 0;
  for (const tag of parsed.tags) {
    rewritten += `${parsed.text.slice(from, tag.start)}${origin}${tag.rawPath}`;
    from = tag.end;
  }
  return rewritten + parsed.text.slice(from);
}

function readTag(text: string, host: string): OwnResource | null {
  return uriCharacters.test(text) ? readOwnUrl(text, host) : null;
}

/** Reads one or more lists; the position after them and their space, or -1. */
function readLists(text: string, from: number): number {
  let at = from;
  if (text[at] !== '(') return -1;
  while (text[at] === '(') {
    at = readConditions(text, skipSpace(text, at + 1));
    if (at === -1) return -1;
    at = skipSpace(text, at + 1);
  }
  return at;
}

/** Reads one or more conditions; the position of the closing parenthesis, or -1. */
function readConditions(text: string, from: number): number {
  let at = from;
  do {
    condition.lastIndex = at;
    const found = condition.exec(text);
    if (found === null) return -1;
    at = skipSpace(text, at + found[0].length);
  } while (text[at] !== ')');
  return at;
}

/**
 * A state token is an absolute URI in angle brackets, an entity tag stands in square brackets and holds neither
 * brackets nor parentheses: mod_dav and others end it at the first bracket, and read what follows as lists and tags. Sticky:
 * `lastIndex` is set before every use. Each alternative starts with a character of its own, so that
 * nothing is read twice.
 */
const condition =
  /(?:not[ \t]*)?(?:<[a-z][a-z0-9+.-]*:[\w.~:/?#[\]@!$&'()*+,;=%-]+>|\[(?:W\/)?"[!\x23-\x27\x2a-\x3b=\x3f-\x5a\x5e-\x7e\x80-\xff]*"\])/iy;

/** The characters RFC 3986 has for a URI: a tag with another one would end elsewhere for a looser reader. */
const uriCharacters = /^[\w.~:/?#[\]@!$&'()*+,;=%-]+$/;

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}
