import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ask, permitFor, verdict } from './authorize-fixture.ts';

const team = '/dav/calendars/alice/team/';
const scopes = [`path:${team}:r`];
const outside = '403 outside_scope';
const malformed = '400 malformed_body';
const dav = "xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav' xmlns:k='urn:ietf:params:xml:ns:carddav'";

/** A billion laughs, were it read. */
const growing = Array.from(
  { length: 10 },
  (_, level) => `<!ENTITY e${level} "${level === 0 ? 'ha' : `&e${level - 1};`.repeat(10)}">`,
).join('');

function report(
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  allowed = scopes,
): Promise<string> {
  return verdict({ method: 'REPORT', target: team, headers, body, scopes: allowed });
}

function multiget(...hrefs: readonly string[]): string {
  const list = hrefs.map((href) => `<d:href>${href}</d:href>`).join('');
  return `<?xml version="1.0" encoding="utf-8"?>\n<c:calendar-multiget ${dav}><d:prop/>${list}</c:calendar-multiget>`;
}

describe('REPORT', () => {
  for (const name of [
    'd:sync-collection',
    'c:calendar-query',
    'c:free-busy-query',
    'k:addressbook-query',
    'd:version-tree',
  ]) {
    test(`${name} stays within its target`, async () =>
      assert.equal(await report(`<${name} ${dav}/>`), 'allow'));
  }

  for (const name of [
    'd:expand-property',
    'd:principal-match',
    'd:principal-property-search',
    'd:principal-search-property-set',
    'd:acl-principal-prop-set',
    'd:calendar-query',
    'c:sync-collection',
    'sync-collection',
    'd:Sync-Collection',
  ]) {
    test(`${name} is not known to be bounded`, async () => {
      assert.equal(await report(`<${name} ${dav}/>`), outside);
      assert.equal(await report(`<${name} ${dav}/>`, {}, ['*']), 'allow');
    });
  }

  test('multiget reads what its hrefs name', async () => {
    assert.equal(await report(multiget()), 'allow');
    assert.equal(await report(multiget(`${team}1.ics`, `\n http://GW.example${team}%32.ics\t`)), 'allow');
    assert.equal(await report(multiget(`${team}1.ics`, '/dav/calendars/alice/private/9.ics')), outside);
    assert.equal(await report(multiget('/dav/calendars/alice/teamx/1.ics')), outside);
    const cards = `<k:addressbook-multiget ${dav}><d:href>/dav/x.vcf</d:href></k:addressbook-multiget>`;
    assert.equal(await report(cards), outside);
  });

  for (const href of [
    '',
    '1.ics',
    'http://evil.example/x',
    `${team}../private/9.ics`,
    `${team}a%2fb`,
    `${team}1?x`,
    '//x/y',
    '&lt;',
  ]) {
    test(`an href that is no path here is malformed: ${href}`, async () => {
      assert.equal(await report(multiget(href)), malformed);
    });
  }

  test('Depth reaches below the target, which a scope on one file does not cover', async () => {
    const body = `<d:version-tree ${dav}/>`;
    const asked = { method: 'REPORT', target: '/dav/one', scopes: ['path:/dav/one:r'], body };
    assert.equal(await verdict(asked), 'allow');
    assert.equal(await verdict({ ...asked, headers: { Depth: '0' } }), 'allow');
    assert.equal(await verdict({ ...asked, headers: { Depth: '1' } }), outside);
  });

  test('white space in an href is cut off in one pass, and no other is', async () => {
    assert.equal(
      await report(multiget(`${' '.repeat(200_000)}${team}1.ics${'\n'.repeat(200_000)}`)),
      'allow',
    );
    assert.equal(await report(multiget(`x${' '.repeat(500_000)}x`)), malformed);
    assert.equal(await report(multiget(`\u00a0${team}1.ics`)), malformed);
  });

  test('character references are read before the path is', async () => {
    assert.equal(await report(multiget(`${team}&#46;&#x2e;/private/9.ics`)), malformed);
    assert.equal(await report(multiget('&#x2f;dav/calendars/alice/private/9.ics')), outside);
    assert.equal(await report(multiget(`${team}a&amp;b.ics`)), 'allow');
  });

  test('an href that parsers read differently is malformed', async () => {
    assert.equal(await report(multiget(`/dav/calendars/alice<!-- -->/team/1.ics`)), malformed);
    assert.equal(await report(multiget(`<![CDATA[${team}1.ics]]>`)), malformed);
    assert.equal(await report(multiget(`<d:x/>${team}1.ics`)), malformed);
  });

  test('hrefs count wherever they stand and whatever their namespace', async () => {
    const nested = `<c:calendar-query ${dav}><d:prop><d:href>/dav/x</d:href></d:prop></c:calendar-query>`;
    assert.equal(await report(nested), outside);
    const foreign = `<c:calendar-multiget ${dav}><x:href xmlns:x="urn:x">/dav/x</x:href></c:calendar-multiget>`;
    assert.equal(await report(foreign), outside);
    const unprefixed =
      '<calendar-multiget xmlns="urn:ietf:params:xml:ns:caldav"><href>/dav/x</href></calendar-multiget>';
    assert.equal(await report(unprefixed), outside);
  });

  for (const [what, body] of [
    ['no body', ''],
    ['no XML', 'BEGIN:VCALENDAR'],
    ['a document type', `<!DOCTYPE x [<!ENTITY e "${team}">]><d:sync-collection ${dav}/>`],
    ['an unknown entity', multiget('&e;')],
    ['a processing instruction', `<?php x?><d:sync-collection ${dav}/>`],
    ['an unbound prefix', '<d:sync-collection/>'],
    ['a doubled attribute', `<d:sync-collection ${dav} a="1" a="2"/>`],
    ['two roots', `<d:sync-collection ${dav}/><d:sync-collection ${dav}/>`],
    ['an open end', `<d:sync-collection ${dav}>`],
    ['another encoding declared', `<?xml version="1.0" encoding="ISO-8859-1"?><d:sync-collection ${dav}/>`],
    ['XML 1.1', `<?xml version="1.1"?><d:sync-collection ${dav}/>`],
    ['no UTF-8', Buffer.from(`<d:sync-collection ${dav} a="\xff"/>`, 'latin1')],
    ['UTF-16', Buffer.from(`\ufeff<d:sync-collection ${dav}/>`, 'utf16le')],
    ['UTF-16 without a mark', Buffer.from(`<d:sync-collection ${dav}/>`, 'utf16le')],
    ['UTF-16 the other way round', Buffer.from(`\ufeff<d:sync-collection ${dav}/>`, 'utf16le').swap16()],
    ['a NUL', `<d:sync-collection ${dav}/>\0`],
    ['a NUL by reference', multiget(`${team}1.ics&#0;`)],
    ['a control by reference', multiget(`${team}1.ics&#8;`)],
    ['a namespace declared twice', `<d:sync-collection ${dav} xmlns:d='DAV:'/>`],
    ['one attribute under two prefixes', `<d:sync-collection ${dav} xmlns:e='DAV:' d:a='1' e:a='2'/>`],
    ['a prefix bound to nothing', `<d:sync-collection ${dav} xmlns:e=''/>`],
    ['the prefix xmlns bound', `<d:sync-collection ${dav} xmlns:xmlns='urn:x'/>`],
    ['entities that grow', `<!DOCTYPE x [${growing}]><d:sync-collection ${dav}>&e9;</d:sync-collection>`],
    [
      'an external entity',
      `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><d:sync-collection ${dav}/>`,
    ],
    ['a parameter entity', `<!DOCTYPE x [<!ENTITY % e SYSTEM "http://h/">%e;]><d:sync-collection ${dav}/>`],
    ['an external subset', `<!DOCTYPE x SYSTEM "http://h/x.dtd"><d:sync-collection ${dav}/>`],
    ['a document type in small letters', `<!doctype x><d:sync-collection ${dav}/>`],
    ['a declaration behind a space', ` <?xml version="1.0"?><d:sync-collection ${dav}/>`],
    ['a declaration twice', `<?xml version="1.0"?><?xml version="1.0"?><d:sync-collection ${dav}/>`],
    ['an inclusion in an href', multiget('<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/x"/>')],
    ['33 levels', `<d:sync-collection ${dav}>${'<a>'.repeat(32)}${'</a>'.repeat(32)}</d:sync-collection>`],
    ['too many elements', `<d:sync-collection ${dav}>${'<a/>'.repeat(32_768)}</d:sync-collection>`],
    ['too many comments', `<d:sync-collection ${dav}>${'<!---->'.repeat(32_768)}</d:sync-collection>`],
    [
      'too many attributes',
      `<d:sync-collection ${dav} ${Array.from({ length: 32_768 }, (_, index) => `a${index}=""`).join(' ')}/>`,
    ],
  ] as const) {
    test(`a body that cannot be read safely is malformed: ${what}`, async () => {
      assert.equal(await report(body), malformed);
      assert.equal(await report(body, {}, ['*']), 'allow');
    });
  }

  test('a byte order mark, a declaration and 32 levels are fine', async () => {
    const deep = `${'<a>'.repeat(31)}${'</a>'.repeat(31)}`;
    const body = `\ufeff<?xml version="1.0" encoding="UTF-8"?><d:sync-collection ${dav}>${deep}</d:sync-collection>`;
    assert.equal(await report(body), 'allow');
  });

  test('one huge attribute, text or name is bounded by the size of the body alone', async () => {
    const huge = 'x'.repeat(1_000_000);
    assert.equal(await report(`<d:sync-collection ${dav} a="${huge}"/>`), 'allow');
    assert.equal(await report(`<d:sync-collection ${dav}>${huge}</d:sync-collection>`), 'allow');
    assert.equal(await report(`<d:sync-collection ${dav}><${huge}/></d:sync-collection>`), 'allow');
    assert.equal(await report(`<d:sync-collection ${dav} a="${huge}${huge}"/>`), '413 body_too_large');
  });

  test('a body in another coding or character set is malformed', async () => {
    const body = `<d:sync-collection ${dav}/>`;
    assert.equal(await report(body, { 'Content-Encoding': 'gzip' }), malformed);
    assert.equal(await report(body, { 'Content-Encoding': 'identity' }), 'allow');
    assert.equal(await report(body, { 'Content-Type': 'text/xml; charset="utf-7"' }), malformed);
    for (const unclear of [
      'text/xml;xcharset=utf-7',
      'text/xml; charset =utf-8;charset=utf-7',
      'text/xml; charset=utf-8; charset=utf-16',
      'text/xml; charset*=utf-7',
      'text/xml charset=utf-7',
    ])
      assert.equal(await report(body, { 'Content-Type': unclear }), malformed, unclear);
    assert.equal(await report(body, { 'Content-Type': 'text/xml; charset=UTF-8' }), 'allow');
    assert.equal(await report(body, { 'Content-Type': 'text/xml' }), 'allow');
  });

  test('a body longer than allowed is refused as too large', async () => {
    const body = `<d:sync-collection ${dav}/>`;
    const asked = { method: 'REPORT', target: team, scopes, body };
    assert.equal(await verdict({ ...asked, reportBytes: body.length - 1 }), '413 body_too_large');
    assert.equal(await verdict({ ...asked, reportBytes: body.length }), 'allow');
  });

  test('the body that was read is in the permit, byte for byte', async () => {
    const body = multiget(`${team}1.ics`);
    const permit = await permitFor({ method: 'REPORT', target: team, scopes, body });
    assert.deepEqual(permit.body, Buffer.from(body));
    const everything = await permitFor({ method: 'REPORT', target: team, scopes: ['*'], body });
    assert.equal(everything.body, null, 'left to stream');
  });

  test('the target is judged before the body', async () => {
    const answer = await ask({ method: 'REPORT', target: '/dav/calendars/alice/', scopes, body: 'x' });
    assert.equal(answer.kind === 'deny' && answer.reason, 'target');
  });
});

describe('SEARCH', () => {
  const search = (from: string): string =>
    `<d:searchrequest ${dav}><d:basicsearch><d:select/>${from}</d:basicsearch></d:searchrequest>`;
  const scope = (href: string): string =>
    `<d:scope><d:href>${href}</d:href><d:depth>infinity</d:depth></d:scope>`;
  const of = (body: string, allowed = scopes): Promise<string> =>
    verdict({ method: 'SEARCH', target: team, body, scopes: allowed });

  test('searches what its scopes name', async () => {
    assert.equal(await of(search(`<d:from>${scope(team)}</d:from>`)), 'allow');
    assert.equal(await of(search(`<d:from>${scope(team)}${scope(`${team}x/`)}</d:from>`)), 'allow');
    assert.equal(await of(search(`<d:from>${scope(team)}${scope('/dav/')}</d:from>`)), outside);
    assert.equal(await of(search(`<d:from>${scope('http://evil.example/')}</d:from>`)), malformed);
  });

  test('searches below its scopes, which a scope on one file does not cover', async () => {
    assert.equal(
      await of(search(`<d:from>${scope('/dav/one')}</d:from>`), [...scopes, 'path:/dav/one:r']),
      outside,
    );
  });

  for (const [what, body] of [
    ['no from', search('')],
    ['an empty from', search('<d:from/>')],
    ['a scope without href', search('<d:from><d:scope/></d:from>')],
    ['something else in from', search(`<d:from>${scope(team)}<d:x/></d:from>`)],
    ['two froms', search(`<d:from>${scope(team)}</d:from><d:from>${scope(team)}</d:from>`)],
    [
      'two queries',
      search(`<d:from>${scope(team)}</d:from>`).replace('</d:searchrequest>', '<d:sql/></d:searchrequest>'),
    ],
    ['another grammar', `<d:searchrequest ${dav}><d:sql>select</d:sql></d:searchrequest>`],
    ['schema discovery', `<d:query-schema-discovery ${dav}/>`],
  ] as const) {
    test(`is not bounded with ${what}`, async () => {
      assert.equal(await of(body), outside);
      assert.equal(await of(body, ['*']), 'allow');
    });
  }
});
