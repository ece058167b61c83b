/** Bodies of REPORT and SEARCH. */
import assert from 'node:assert/strict';
import { type BodyReach, readReport, readSearch } from '../../src/gateway/report.ts';
import { readXml, type XmlElement } from '../../src/gateway/xml.ts';
import { trimBlanks } from './judges/request-text.ts';

export const subjects: readonly string[] = ['gateway/xml.ts', 'gateway/report.ts'];

export const words: readonly string[] = [
  ...[
    '<d:href>',
    '</d:href>',
    '/dav/a',
    'xmlns:d="DAV:"',
    'xmlns="DAV:"',
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '&amp;',
    '&#47;',
  ],
  ...[
    '<!DOCTYPE a [<!ENTITY x "y">]>',
    '&x;',
    '<?xml version="1.0" encoding="utf-8"?>',
    '<?x?>',
    'encoding="utf-16"',
    '/>',
    '</',
  ],
  ...[
    'd:multistatus',
    'd:searchrequest',
    'd:basicsearch',
    'd:from',
    'd:scope',
    'd:sync-collection',
    'urn:ietf:params:xml:ns:carddav',
  ],
];

export const bytesMax = 8_192;

export const stretchedBytes = 65_536;

const depthMax = 32;
const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * What is read has no document type, entity or instruction, is UTF-8, shallow, and no larger than its text; written
 * out anew it reads as the same; and every href that a reader of tags and text alone finds is among those judged.
 */
export function fuzz(input: Buffer): void {
  const root = readXml(input);
  const report = readReport(input);
  const search = readSearch(input);
  if (root === null) {
    assert.equal(report ?? search, null, 'what cannot be read reaches nothing');
    return;
  }
  // Longer ones are run for the time that reading takes: what judges them takes more.
  if (input.length > bytesMax) return;
  const text = new TextDecoder('utf-8', { fatal: true }).decode(input);
  const bare = text.replace(/<!--.*?-->|<!\[CDATA\[.*?\]\]>/gs, '');
  assert.doesNotMatch(bare, /<!|<\?(?!xml[ \t\r\n])/, 'no document type, no instruction');
  for (const [, entity = ''] of bare.matchAll(/&([^;]*);/g))
    assert.match(entity, /^(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+)$/);
  const { depth, elements, characters } = measure(root, 1);
  assert.ok(
    depth <= depthMax && elements <= input.length / 4 + 1 && characters <= text.length,
    'nothing expands',
  );
  assertSameTree(readXml(Buffer.from(write(root))), root);
  for (const reach of [report, search]) if (reach !== null) assertHrefs(reach, bare, root);
}

function measure(
  element: XmlElement,
  level: number,
): { depth: number; elements: number; characters: number } {
  let [depth, elements, characters] = [level, 1, element.text.length];
  for (const child of element.children) {
    const below = measure(child, level + 1);
    depth = Math.max(depth, below.depth);
    elements += below.elements;
    characters += below.characters;
  }
  return { depth, elements, characters };
}

/** The text of an element's children is behind its own: what is read back may differ in nothing else. */
function write({ name, text, children }: XmlElement): string {
  const [, namespace = '', local = ''] = /^\{(.*)\}([^}]*)$/s.exec(name) ?? [];
  const inner = escape(text) + children.map((child) => write(child)).join('');
  return `<${local} xmlns="${escape(namespace)}">${inner}</${local}>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"\r\n\t]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function assertSameTree(one: XmlElement | null, other: XmlElement): void {
  assert.ok(one !== null, 'what was read can be written and read again');
  assert.equal(one.name, other.name);
  assert.equal(one.text, other.text);
  assert.equal(one.children.length, other.children.length);
  for (const [at, child] of one.children.entries()) assertSameTree(child, other.children[at] as XmlElement);
}

/** Finds hrefs as somebody would with a regular expression, decodes them, and looks for them in what was judged. */
function assertHrefs(reach: BodyReach, bare: string, root: XmlElement): void {
  const tag = /<(?:[\w.-]+:)?href(?:[ \t\r\n][^<>"']*(?:(?:"[^"<]*"|'[^'<]*')[^<>"']*)*)?>([^<]*)<\//g;
  for (const [, content = ''] of bare.replace(/\r\n?/g, '\n').matchAll(tag)) {
    const text = content.replace(/&(#x?)?(\w+);/g, (_all, numeric: string | undefined, code: string) => {
      if (numeric === undefined) return named[code] as string;
      return String.fromCodePoint(Number.parseInt(code, numeric === '#x' ? 16 : 10));
    });
    assert.ok(reach.hrefs.includes(trimBlanks(text)), 'every href is judged');
  }
  const reports = /^\{(?:DAV:|urn:ietf:params:xml:ns:ca(?:l|rd)dav)\}/;
  if (reach.of !== 'unbounded') assert.match(root.name, reports, 'only known reports are bounded');
}
