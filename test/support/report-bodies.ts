import fc from 'fast-check';

const names =
  "xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav' xmlns:k='urn:ietf:params:xml:ns:carddav'";

/** What hostile bodies put around, into and in place of an href: well-formed or not. */
const wrappings: readonly ((href: string) => string)[] = [
  (href) => `<d:href>${href}</d:href>`,
  (href) => `<d:href>\n  ${href}\t</d:href>`,
  (href) => `<href xmlns='DAV:'>${href}</href>`,
  (href) => `<x:href xmlns:x='DAV:'>${href}</x:href>`,
  (href) => `<x:href xmlns:x='urn:x'>${href}</x:href>`,
  (href) => `<d:HREF>${href}</d:HREF>`,
  (href) => `<d:prop><d:href>${href}</d:href></d:prop>`,
  (href) => `<d:href><![CDATA[${href}]]></d:href>`,
  (href) => `<d:href>${href.slice(0, 9)}<!-- x -->${href.slice(9)}</d:href>`,
  (href) => `<!-- <d:href>${href}</d:href> -->`,
  (href) => `<d:href>${href.slice(0, 5)}<?x y?>${href.slice(5)}</d:href>`,
  (href) => `<d:href><d:x>${href}</d:x></d:href>`,
  (href) => `<d:href a="${href}"/>`,
  (href) => `<d:href>${href.replace('/', '&#47;')}</d:href>`,
  (href) => `<d:href>${href.replace('a', '&#x61;')}</d:href>`,
  (href) => `<d:href>${href.replace('a', '&a;')}</d:href>`,
  (href) => `<d:href>${href}</d:href><d:href>${href}`,
  (href) => `<d:href>${href}\0</d:href>`,
  (href) => `<d:href>\u00a0${href}\u2028</d:href>`,
];

const roots = [
  ...'c:calendar-multiget c:calendar-multiget c:calendar-multiget k:addressbook-multiget'.split(' '),
  ...'d:sync-collection c:calendar-query d:expand-property d:multiget'.split(' '),
];

const starts = [
  ...[
    '',
    '',
    '',
    '<?xml version="1.0"?>',
    '<?xml version="1.0" encoding="utf-8"?>',
    '\ufeff',
    ' <?xml version="1.0"?>',
  ],
  ...[
    '<?xml version="1.0" encoding="latin1"?>',
    '<!DOCTYPE x [<!ENTITY a "a">]>',
    '<!DOCTYPE x SYSTEM "file:///x">',
  ],
];

const utf8Mostly: readonly BufferEncoding[] = ['utf8', 'utf8', 'utf8', 'utf8', 'utf8', 'utf16le', 'latin1'];
const plain = fc.constant((href: string): string => `<d:href>${href}</d:href>`);
const odd = fc.constantFrom(...wrappings);

/** Report bodies that name `hrefs` in ways that parsers may read differently. */
export function reportBody(hrefs: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc
    .record({
      start: fc.constantFrom(...starts),
      root: fc.constantFrom(...roots),
      items: fc.array(fc.tuple(fc.oneof(plain, odd), hrefs), { minLength: 1, maxLength: 3 }),
      end: fc.constantFrom('', '', '', '', '', '\n', '<x/>', '\0', '<!-- -->'),
      coding: fc.constantFrom<BufferEncoding>(...utf8Mostly),
    })
    .map(({ start, root, items, end, coding }) => {
      const list = items
        .map(([wrap, href]) => wrap(href.replaceAll('&', '&amp;').replaceAll('<', '&lt;')))
        .join('');
      const prop = '<d:prop><d:getetag/><c:calendar-data/></d:prop>';
      return Buffer.from(`${start}<${root} ${names}>${prop}${list}</${root}>${end}`, coding);
    });
}
