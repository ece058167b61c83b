import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readXml } from '../../../src/gateway/xml.ts';
import { readReport, readSearch } from '../../../src/gateway/report.ts';
import { ask, verdict } from './authorize-fixture.ts';

const folder = '/dav/files/alice/Photos/';

/** Where a parser that resolves dots, folds slashes and decodes twice would end. */
function readLoosely(raw: string): string {
  const twice = decodeLoosely(decodeLoosely(raw))
    .replaceAll('\\', '/')
    .replace(/;[^/]*/g, '');
  return new URL(twice.replace(/[?#\0]/g, '_').replace(/\/{2,}/g, '/'), 'http://h').pathname;
}

function decodeLoosely(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const target = fc
  .array(
    fc.constantFrom(
      ...[
        'dav',
        'files',
        'alice',
        'Photos',
        'Secret',
        'bob',
        'a.jpg',
        '..',
        '.',
        '',
        '%2e%2e',
        '..;x',
        '%252e%252e',
        'Photosx',
      ],
      ...[
        '%50hotos',
        'Photos;x',
        '%E2%80%A5',
        'a%2fb',
        '..%5c..',
        '%2e%2e%2fSecret',
        'photos',
        'x%00',
        '%c0%ae%c0%ae',
      ],
    ),
    { maxLength: 7 },
  )
  .chain((segments) =>
    fc
      .constantFrom('', folder.slice(0, -1), '/dav/files/alice')
      .map((start) => `${start}/${segments.join('/')}`),
  );

describe('whatever the request, what is allowed lies inside the scope', () => {
  test('for the target', async () => {
    await fc.assert(
      fc.asyncProperty(target, fc.constantFrom('GET', 'PUT', 'DELETE', 'MKCOL'), async (raw, method) => {
        const said = await verdict({ method, target: raw, scopes: [`path:${folder}:rw`] });
        if (said !== 'allow') return;
        for (const seen of [new URL(raw, 'http://h').pathname, decodeLoosely(raw), readLoosely(raw)]) {
          assert.ok(`${decodeLoosely(seen)}/`.startsWith(folder), `${raw} is seen as ${seen}`);
        }
        if (method === 'PUT' || method === 'DELETE') {
          assert.notEqual(readLoosely(`${raw}/`), folder, 'the folder itself stays');
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('for Destination and If', async () => {
    const origin = fc.constantFrom(
      '',
      'http://gw.example',
      'https://gw.example',
      'http://evil.example',
      '//gw.example',
      'http://a@gw.example',
    );
    await fc.assert(
      fc.asyncProperty(origin, target, fc.constantFrom('Destination', 'If'), async (start, raw, name) => {
        const value = name === 'If' ? `<${start}${raw}> (["e"])` : start + raw;
        const answer = await ask({
          method: name === 'If' ? 'PUT' : 'MOVE',
          target: `${folder}a.jpg`,
          headers: { [name]: value },
          scopes: [`path:${folder}:rw`],
        });
        if (answer.kind === 'deny') return;
        const url = new URL(start + raw, 'http://gw.example');
        assert.equal(url.host, 'gw.example');
        assert.equal(url.username, '');
        for (const seen of [url.pathname, readLoosely(raw)]) {
          assert.ok(`${decodeLoosely(seen)}/`.startsWith(folder), `${value} is seen as ${seen}`);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('for multiget hrefs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(target, { maxLength: 3 }), async (hrefs) => {
        const list = hrefs.map((href) => `<d:href>${href}</d:href>`).join('');
        const body = `<c:calendar-multiget xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">${list}</c:calendar-multiget>`;
        const said = await verdict({ method: 'REPORT', target: folder, body, scopes: [`path:${folder}:r`] });
        if (said !== 'allow') return;
        for (const href of hrefs) assert.ok(`${readLoosely(href)}/`.startsWith(folder), href);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('whatever the XML, reading it never throws', () => {
  const piece = fc.constantFrom(
    ...[
      '<a>',
      '</a>',
      '<a/>',
      '<d:href>',
      '</d:href>',
      '<',
      '>',
      '&',
      '&amp;',
      '&#0;',
      '&#x110000;',
      '&x;',
      ']]>',
      '<![CDATA[',
    ],
    ...[
      '<!--',
      '-->',
      '<?xml version="1.0"?>',
      '<?x?>',
      '<!DOCTYPE a>',
      'text',
      '"',
      "'",
      '=',
      ' xmlns:d="DAV:"',
      ' xmlns=""',
    ],
    ...[
      '\0',
      '\ud800',
      '\ufeff',
      '\n',
      '<a xmlns="DAV:"',
      ' b="c"',
      '/>',
      '<xmlns:a/>',
      '<a:b:c/>',
      '__proto__',
    ],
  );

  test('out of its pieces', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const bytes = Buffer.from(pieces.join(''));
        const document = readXml(bytes);
        if (document !== null) assert.match(document.name, /^\{.*\}.+/);
        readReport(bytes);
        readSearch(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  test('out of bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readXml(bytes)),
      { numRuns: 1000 },
    );
  });
});
