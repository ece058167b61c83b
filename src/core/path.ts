import { compatibilityForm } from './compatibility-form.ts';
import type { Branded } from './ids.ts';
import type { LoosePath } from './loose-path.ts';

/**
 * A path decoded once and checked, for comparison only: what is forwarded are the original bytes.
 * It starts with a slash, has no empty and no dot segment, and keeps a trailing slash where the client
 * sent one: comparisons treat `/a` and `/a/` as one resource (see `isSameResource`, `isInFolder`).
 */
export type CanonicalPath = Branded<'CanonicalPath'>;

/** Why a text is no acceptable path. One frozen object per reason; `detail` never holds input. */
export interface PathProblem {
  readonly kind: 'path_problem';
  readonly detail: string;
}

const notAbsolute = problem('it does not start with a slash');
const badCharacter = problem('it holds a character that must be percent-encoded, or a backslash');
const badEscape = problem('a percent escape is malformed or is not UTF-8');
const encodedDelimiter = problem('it holds an encoded slash, backslash or control character');
const doubleEscape = problem('a percent escape of . / \\ ; % or NUL is left after decoding once');
const emptySegment = problem('it has an empty segment (two slashes in a row, or nothing before a semicolon)');
const dotSegment = problem('it has a . or .. segment');
const lookalike = problem('its compatibility form (NFKC) holds a slash or backslash');

/**
 * Checks and decodes the path of a request target, without its query. Refuses rather than repairs:
 * dot segments, `//`, encoded delimiters, controls and double escapes are problems, never resolved.
 * A path without escapes is returned as it is, without allocation.
 */
export function canonicalPath(raw: string): CanonicalPath | PathProblem {
  if (raw.charCodeAt(0) !== slash) return notAbsolute;
  let start = 1;
  let escaped = false;
  for (let at = 1; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    const meaning = code < 0x80 ? rawMeaning[code] : refused;
    if (meaning === plain) continue;
    if (meaning === separator) {
      if (at === start || raw.charCodeAt(start) === semicolon) return emptySegment;
      if (isDotSegment(raw, start, at)) return dotSegment;
      start = at + 1;
    } else if (meaning === escape) {
      if (isEncodedSlash(raw, at)) return encodedDelimiter;
      escaped = true;
    } else {
      return badCharacter;
    }
  }
  if (raw.charCodeAt(start) === semicolon) return emptySegment;
  if (isDotSegment(raw, start, raw.length)) return dotSegment;
  return escaped ? decodeOnce(raw) : (raw as CanonicalPath);
}

/**
 * Reads a path written by a person: percent escapes are decoded once, as in a URL, and space and
 * non-ASCII letters stand for themselves (no Unicode normalisation). A literal `%`, `#` or `?` is written
 * `%25`, `%23` or `%3F`. Everything else as `canonicalPath`.
 */
export function pathFromText(text: string): CanonicalPath | PathProblem {
  if (!text.isWellFormed()) return badCharacter;
  return canonicalPath(text.replace(/[^\x21-\x7e]+/g, encodeURIComponent));
}

/** The readable text that `pathFromText` reads back as the same path. */
export function pathToText(path: CanonicalPath): string {
  return path.replace(/[%#?\p{C}\p{Z}]/gu, encodeURIComponent);
}

/** Checks a path that is decoded already, taking every character as itself: a `%` is a percent sign. */
export function checkDecodedPath(text: string): CanonicalPath | PathProblem {
  if (text.charCodeAt(0) !== slash) return notAbsolute;
  if (!text.isWellFormed()) return badCharacter;
  const found = scanDecoded(text);
  if (found !== null) return found;
  if (isAscii(text)) return text as CanonicalPath;
  const folded = compatibilityForm(text);
  if (folded === text) return text as CanonicalPath;
  if (countSlashes(folded) !== countSlashes(text) || folded.includes('\\')) return lookalike;
  return scanDecoded(folded) ?? (text as CanonicalPath);
}

/** True where both name one resource: equal but for a trailing slash. */
export function isSameResource(a: CanonicalPath, b: CanonicalPath): boolean {
  if (a.length === b.length) return a === b;
  if (a.length === b.length + 1) return a.charCodeAt(b.length) === slash && a.startsWith(b);
  return b.length === a.length + 1 && b.charCodeAt(a.length) === slash && b.startsWith(a);
}

/** True where `path` lies below `folder` (which ends with a slash) by whole segments; itself is not below. */
export function isBelowFolder(folder: CanonicalPath, path: CanonicalPath): boolean {
  // The slash is looked at first: it tells most paths apart without comparing them.
  return (
    path.length > folder.length && path.charCodeAt(folder.length - 1) === slash && path.startsWith(folder)
  );
}

/** True where `path` is `folder`, with or without its trailing slash, or lies below it. */
export function isInFolder(folder: CanonicalPath, path: CanonicalPath): boolean {
  if (path.length > folder.length) return isBelowFolder(folder, path);
  return path.length >= folder.length - 1 && folder.startsWith(path);
}

/** True where `path` is a folder above `below`, not `below` itself. */
export function isAncestor<Path extends CanonicalPath | LoosePath>(path: Path, below: Path): boolean {
  const end = path.charCodeAt(path.length - 1) === slash ? path.length - 1 : path.length;
  return below.length > end + 1 && below.charCodeAt(end) === slash && below.startsWith(path);
}

const slash = 0x2f;
const percent = 0x25;
const dot = 0x2e;
const semicolon = 0x3b;
const space = 0x20;
const backslash = 0x5c;

const plain = 0;
const separator = 1;
const escape = 2;
const refused = 3;
const rawMeaning = rawMeanings();

function rawMeanings(): Uint8Array {
  const table = new Uint8Array(0x80);
  table.fill(refused, 0, 0x21);
  for (const character of '\\#?\x7f') table[character.charCodeAt(0)] = refused;
  table[slash] = separator;
  table[percent] = escape;
  return table;
}

function decodeOnce(raw: string): CanonicalPath | PathProblem {
  try {
    return checkDecodedPath(decodeURIComponent(raw));
  } catch {
    return badEscape;
  }
}

/** The checks that hold after decoding, and again after NFKC. */
function scanDecoded(text: string): PathProblem | null {
  let start = 1;
  for (let at = 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === slash) {
      if (at === start || text.charCodeAt(start) === semicolon) return emptySegment;
      if (isDotSegment(text, start, at)) return dotSegment;
      start = at + 1;
    } else if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || code === backslash) {
      return encodedDelimiter;
    } else if (code === percent && isTelltaleEscape(text, at)) {
      return doubleEscape;
    }
  }
  if (text.charCodeAt(start) === semicolon) return emptySegment;
  return isDotSegment(text, start, text.length) ? dotSegment : null;
}

/**
 * `.` and `..`, also with path parameters (`..;x`), which some servers cut off before resolving, and with spaces, which
 * Windows cuts off; nothing but spaces, too. Three dots and more are a name.
 */
function isDotSegment(text: string, start: number, end: number): boolean {
  let at = start;
  let spaces = false;
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === space) spaces = true;
    else if (code !== dot) break;
  }
  if (at === start || (at < end && text.charCodeAt(at) !== semicolon)) return false;
  return spaces || at - start <= 2;
}

function isEncodedSlash(raw: string, at: number): boolean {
  return raw.charCodeAt(at + 1) === 0x32 && (raw.charCodeAt(at + 2) | 0x20) === 0x66;
}

function isTelltaleEscape(text: string, at: number): boolean {
  return /^(?:2e|2f|5c|3b|25|00)$/i.test(text.slice(at + 1, at + 3));
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function countSlashes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('/'); at !== -1; at = text.indexOf('/', at + 1)) count++;
  return count;
}

function problem(detail: string): PathProblem {
  return Object.freeze({ kind: 'path_problem', detail });
}
