/** The If field. */
import assert from 'node:assert/strict';
import { type ParsedIf, parseIf, rewriteIf } from '../../src/gateway/if-header.ts';
import { assertOrdinary } from './judges/ordinary-path.ts';

export const subjects: readonly string[] = ['gateway/if-header.ts', 'gateway/own-url.ts'];

export const words: readonly string[] = [
  ...[
    '(<urn:uuid:1>)',
    '(["e"])',
    '([W/"e"])',
    '(Not <DAV:no-lock>)',
    '</a>',
    '<http://gw.example/a>',
    'Not ',
    '>',
  ],
  ...['opaquelocktoken:', '["', '"]', ' (', ') ', '<', '(<'],
];

const host = 'gw.example';
const origin = 'http://backend.example:81';

/**
 * A reader as loose as mod_dav, which takes what it knows and skips what it does not, finds the same tags, tokens and
 * entity tags; every tag is on our host and ordinary; and the field rewritten for the backend differs in origins alone.
 */
export function fuzz(input: Buffer): void {
  const field = input.toString('latin1');
  const parsed = parseIf(field, host);
  if (parsed === null) return;
  assert.equal(parsed.text, field);
  const loose = readLoosely(field);
  assert.deepEqual(tagTexts(parsed), loose.tags);
  assert.ok(loose.conditions.length > 0 && !loose.conditions.includes(''));
  for (const [at, tag] of parsed.tags.entries()) {
    assertOrdinary(tag.rawPath, tag.path);
    const url = new URL(loose.tags[at] as string, `http://${host}`);
    assert.equal(url.host, host);
    assert.equal(url.search + url.hash + url.username, '');
  }
  const rewritten = rewriteIf(parsed, origin);
  const again = parseIf(rewritten, 'backend.example:81');
  assert.ok(again !== null, 'the backend can read it');
  assert.deepEqual(
    again.tags.map(({ rawPath }) => rawPath),
    parsed.tags.map(({ rawPath }) => rawPath),
  );
  assert.deepEqual(readLoosely(rewritten).conditions, loose.conditions);
  for (const tag of tagTexts(again)) assert.ok(tag.startsWith(`${origin}/`));
}

function tagTexts({ text, tags }: ParsedIf): readonly string[] {
  return tags.map(({ start, end }) => text.slice(start, end));
}

/** Outside of parentheses `<…>` is a tag; inside, `<…>` is a token and `[…]` an entity tag; all else is skipped. */
function readLoosely(field: string): {
  readonly tags: readonly string[];
  readonly conditions: readonly string[];
} {
  const tags: string[] = [];
  const conditions: string[] = [];
  let inList = false;
  for (let at = 0; at < field.length; at++) {
    const opening = field[at];
    if (opening === '(') inList = true;
    else if (opening === ')') inList = false;
    else if (opening === '<' || (opening === '[' && inList)) {
      const end = field.indexOf(opening === '<' ? '>' : ']', at);
      const text = end === -1 ? '' : field.slice(at + 1, end);
      (inList ? conditions : tags).push(text);
      if (end !== -1) at = end;
    }
  }
  return { tags, conditions };
}
