import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseIf, rewriteIf } from '../../../src/gateway/if-header.ts';

const host = 'gw.example:8080';

describe('the If grammar of RFC 4918', () => {
  for (const field of [
    '(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>)',
    '(["x"])',
    '([W/"x"])',
    '(Not <DAV:no-lock>)',
    '(not<DAV:no-lock>)',
    '(<urn:a:1>["x"] Not ["y"]) (Not<urn:b:2>)',
    ' ( <urn:a:1>\t[""] ) ',
    '</a> (<urn:a:1>)',
    '<http://gw.example:8080/a/%C3%9C> (<urn:a:1>) (["x"]) </b> (Not ["y"])',
    '(<opaquelocktoken:1>)(<opaquelocktoken:2>)',
  ]) {
    test(`takes ${field}`, () => {
      const parsed = parseIf(field, host);
      assert.ok(parsed !== null);
      assert.equal(parsed.text, field);
    });
  }

  for (const field of [
    '',
    ' ',
    '()',
    '(',
    ')',
    '(<urn:a:1>',
    '<urn:a:1>',
    '</a>',
    '</a> </b> (["x"])',
    '(<urn:a:1>) </a> (["x"])',
    '(["x"]) junk',
    'junk (["x"])',
    '(x)',
    '(["x)',
    '([x])',
    '(["x"',
    '(["a"b"])',
    '(["a\\"])',
    '(["a b"])',
    '</a>(["])</other>(["])',
    ...Array.from('[]<>()', (bracket) => `(["a${bracket}b"])`),
    '([w"x"])',
    '(<noscheme>)',
    '(<urn:>)',
    '(</relative>)',
    '(<urn:a b>)',
    '(<urn:a<b>)',
    '(<urn:a"b>)',
    '</a<b> (["x"])',
    '</a"b> (["x"])',
    '(Not)',
    '(Not Not <urn:a:1>)',
    '(<urn:a:1>),(<urn:b:2>)',
    '((<urn:a:1>))',
    '<a> (["x"])',
    '<//gw.example:8080/a> (["x"])',
    '<http://gw.example/a> (["x"])',
    '<http://evil.example/a> (["x"])',
    '<http://gw.example:8080@evil.example/a> (["x"])',
    '</a/../b> (["x"])',
    '</a?b> (["x"])',
    '</a (["x"])',
    '<> (["x"])',
    '</a> (["x"])'.repeat(101),
  ]) {
    test(`refuses ${field.slice(0, 60)}`, () => assert.equal(parseIf(field, host), null));
  }

  test('tags carry their path decoded and raw', () => {
    const parsed = parseIf('<https://GW.example:8080/a%20b/> (["x"])', host);
    assert.deepEqual(
      parsed?.tags.map(({ path, rawPath }) => [path, rawPath]),
      [['/a b/', '/a%20b/']],
    );
  });
});

describe('rewriting an If field', () => {
  test('moves every tag to the origin and leaves the rest', () => {
    const parsed = parseIf('<http://gw.example:8080/a> (<urn:a:1>)  </b%20c> (["x"] Not ["y"])', host);
    assert.ok(parsed !== null);
    assert.equal(
      rewriteIf(parsed, 'http://backend:81'),
      '<http://backend:81/a> (<urn:a:1>)  <http://backend:81/b%20c> (["x"] Not ["y"])',
    );
  });

  test('leaves a field without tags as it is', () => {
    const parsed = parseIf('(<urn:a:1>)', host);
    assert.ok(parsed !== null);
    assert.equal(rewriteIf(parsed, 'http://backend'), '(<urn:a:1>)');
  });
});

describe('random If fields', () => {
  const space = fc.constantFrom('', ' ', '\t', '  ');
  const condition = fc.constantFrom('<urn:uuid:1>', '["e"]', '[W/"e"]', 'Not <DAV:no-lock>', 'Not ["e"]');
  const list = fc
    .tuple(space, fc.array(fc.tuple(condition, space), { minLength: 1, maxLength: 4 }))
    .map(([before, conditions]) => `(${before}${conditions.flat().join('')})`);
  const lists = fc
    .array(fc.tuple(list, space), { minLength: 1, maxLength: 3 })
    .map((each) => each.flat().join(''));
  const path = fc.array(fc.constantFrom('a', 'b%20', '%C3%9C', 'c.d'), { minLength: 1, maxLength: 4 });

  test('that follow the grammar are taken, with every tag', () => {
    const tagged = fc.array(fc.tuple(path, lists), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(tagged, (parts) => {
        const paths = parts.map(([segments]) => `/${segments.join('/')}`);
        const field = parts.map(([, rest], index) => `<${paths[index]}>${rest}`).join('');
        const parsed = parseIf(field, host);
        assert.deepEqual(
          parsed?.tags.map((tag) => tag.rawPath),
          paths,
        );
        const moved = rewriteIf(parsed, 'http://gw.example:8080');
        assert.deepEqual(
          parseIf(moved, host)?.tags.map((tag) => tag.rawPath),
          paths,
        );
      }),
    );
  });

  test('out of their pieces never throw, and what is taken has balanced lists', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '(',
      ')',
      '[',
      ']',
      '"',
      'Not',
      ' ',
      'W/',
      '/a',
      'urn:a:1',
      '<urn:a:1>',
      '["e"]',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
        const field = pieces.join('');
        if (parseIf(field, host) === null) return;
        const bare = field.replace(/<[^>]*>|"[^"]*"/g, 't').replace(/\[(?:W\/)?t\]/g, 't');
        assert.match(bare, /^[ \t]*(?:t?[ \t]*(?:\([Not \t]+\)[ \t]*)+)+$/);
      }),
      { numRuns: 5000 },
    );
  });

  test('of any length are read in time that grows with the length', () => {
    for (const unit of [
      '(',
      '(Not ',
      '</a>',
      '(<urn:a',
      '(["',
      '(<a:b>',
      '(["x"]',
      '(["x"] ',
      '</a>(["x"])',
    ]) {
      assert.equal(parseIf(unit.repeat(4000), host), null);
    }
  });
});
