import {
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
} from 'yaml';
import type { KeyPath } from './problem.ts';

/** A YAML text as plain data that still knows where each value stood. */
export interface YamlSource {
  /** Plain data; an empty text is an empty map. */
  readonly value: unknown;
  /** `line:column` of the value, or of the nearest enclosing one that was written. */
  locate(path: KeyPath): string;
  /** `line:column` of a key itself, for keys that should not be there. */
  locateKey(path: KeyPath): string;
}

/** What was wrong with the text, first problem first; never quotes the text, which may hold secrets. */
export interface YamlError {
  readonly position: string;
  readonly message: string;
}

/** Reads one YAML 1.2 document. Never throws. */
export function readYaml(text: string): YamlSource | { readonly errors: readonly YamlError[] } {
  try {
    return parse(text);
  } catch {
    // The parser gives up on aliases that multiply, and on nesting deeper than its stack, by throwing.
    return {
      errors: [{ position: '1:1', message: 'not readable as YAML: too deeply nested, or too many aliases.' }],
    };
  }
}

function parse(text: string): YamlSource | { readonly errors: readonly YamlError[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const complaints = [...document.errors, ...document.warnings];
  if (complaints.length > 0) {
    return {
      errors: complaints.map((error) => ({
        position: positionOf(lines, error.pos[0]),
        message: `not readable as YAML: ${sentenceOf(error)}.`,
      })),
    };
  }
  const dangling = danglingAliases(document);
  if (dangling.length > 0) {
    const message =
      'not readable as YAML: an alias (*) without its anchor (&); put text that starts with * in quotes.';
    return { errors: dangling.map((offset) => ({ position: positionOf(lines, offset), message })) };
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (isCircular(value, [])) {
    return { errors: [{ position: '1:1', message: 'not readable as YAML: an alias contains itself.' }] };
  }
  if (document.contents !== null && !isMap(document.contents) && value !== null) {
    const message =
      'the file must be a map of keys and values in UTF-8, such as: backend: http://127.0.0.1:8008';
    return { errors: [{ position: positionOf(lines, offsetOf(document, [])), message }] };
  }
  return {
    value: value ?? {},
    locate: (path) => positionOf(lines, offsetOf(document, path)),
    locateKey: (path) => positionOf(lines, keyOffsetOf(document, path)),
  };
}

/** The parser's own messages quote what it stumbled over after a colon. */
function sentenceOf(error: { readonly code: string; readonly message: string }): string {
  if (error.code === 'MULTIPLE_DOCS') return 'the file holds several documents (---), and one is expected';
  return (error.message.split(':')[0] ?? '').replace(/\.$/, '');
}

function danglingAliases(document: Document): readonly number[] {
  const offsets: number[] = [];
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) === undefined) offsets.push(alias.range?.[0] ?? 0);
    },
  });
  return offsets;
}

function isCircular(value: unknown, ancestors: readonly unknown[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (ancestors.includes(value)) return true;
  return Object.values(value).some((child) => isCircular(child, [...ancestors, value]));
}

function positionOf(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${Math.max(1, line)}:${Math.max(1, col)}`;
}

function offsetOf(document: Document, path: KeyPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function keyOffsetOf(document: Document, path: KeyPath): number {
  const key = path.at(-1);
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    for (const pair of parent.items) {
      if (isPair(pair) && isScalar(pair.key) && String(pair.key.value) === String(key) && pair.key.range) {
        return pair.key.range[0];
      }
    }
  }
  return isSeq(parent) && parent.range ? parent.range[0] : offsetOf(document, path);
}
