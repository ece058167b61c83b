import assert from 'node:assert/strict';
import { test } from 'node:test';
import { field } from '../../../support/http-message.ts';
import {
  frame,
  frameType,
  flag,
  encode,
  headers,
  openRawSession,
  type RawField,
} from '../../../support/h2-raw.ts';
import { startH2Listener } from './h2-fixture.ts';

const plain: readonly RawField[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'gw.example'],
  [':path', '/a'],
  ['authorization', 'Bearer good'],
];

/** The plain head with some of it in other words; null leaves a field out. */
function head(
  change: Readonly<Record<string, string | null>>,
  ...more: readonly RawField[]
): readonly RawField[] {
  const kept = plain.flatMap(([name, value]): readonly RawField[] => {
    const other = change[name];
    return other === null ? [] : [[name, other ?? value]];
  });
  return [...kept, ...more];
}

/** A head, and what it must come to: a status, or a reset of the stream (null). */
const refused: readonly (readonly [title: string, fields: readonly RawField[], status: number | null])[] = [
  ['a name in capitals', head({}, ['X-Capital', '1']), null],
  ['connection', head({}, ['connection', 'close']), null],
  ['keep-alive', head({}, ['keep-alive', 'timeout=5']), null],
  ['proxy-connection', head({}, ['proxy-connection', 'keep-alive']), null],
  ['transfer-encoding', head({}, ['transfer-encoding', 'chunked']), null],
  ['upgrade', head({}, ['upgrade', 'websocket']), null],
  ['te other than trailers', head({}, ['te', 'gzip']), null],
  ['a host other than the authority', head({}, ['host', 'other.example']), 400],
  ['two hosts', head({ ':authority': null }, ['host', 'a.example'], ['host', 'b.example']), null],
  ['no authority at all', head({ ':authority': null }), null],
  ['an authority with a user', head({ ':authority': 'a@gw.example' }), null],
  ['an authority that is a list', head({ ':authority': 'gw.example, b' }), null],
  ['an authority with a line break', head({ ':authority': 'gw.example\r\nX-A: b' }), null],
  ['an empty authority', head({ ':authority': '' }), null],
  ['the authority twice', head({}, [':authority', 'b.example']), null],
  ['the method twice', [[':method', 'GET'], ...plain], null],
  ['the path twice', [[':path', '/b'], ...plain], null],
  ['a pseudo-field behind a field', [['x-a', 'b'], ...plain], null],
  ['an unknown pseudo-field', [[':unknown', 'b'], ...plain], null],
  ['the pseudo-field of answers', [[':status', '200'], ...plain], null],
  ['no method', head({ ':method': null }), null],
  ['no scheme', head({ ':scheme': null }), null],
  ['no path', head({ ':path': null }), null],
  ['an empty path', head({ ':path': '' }), null],
  ['the other scheme', head({ ':scheme': 'http' }), 400],
  ['a scheme that hides a request line', head({ ':scheme': 'https://gw.example/b?' }), null],
  ['a path without a slash', head({ ':path': 'a' }), null],
  ['a path that is a URL', head({ ':path': 'http://gw.example/a' }), null],
  ['a path with a space', head({ ':path': '/a b' }), null],
  ['a path with a request line in it', head({ ':path': '/a HTTP/1.1\r\nHost: b\r\n\r\nGET /b' }), null],
  ['a path with a fragment', head({ ':path': '/a#b' }), 400],
  ['a path with a backslash', head({ ':path': '/a\\b' }), 400],
  ['a path beyond ASCII', head({ ':path': '/\xe9' }), 400],
  ['a path that climbs', head({ ':path': '/a/%2e%2e/b' }), 400],
  ['an asterisk', head({ ':method': 'OPTIONS', ':path': '*' }), 400],
  ['a method with a space', head({ ':method': 'GET /b HTTP/1.1' }), null],
  ['a method with a line break', head({ ':method': 'GET\r\nX-A: b' }), null],
  ['TRACE', head({ ':method': 'TRACE' }), 405],
  [
    'CONNECT',
    [plain[0] as RawField, plain[2] as RawField].map(
      ([n, v]): RawField => [n, n === ':method' ? 'CONNECT' : v],
    ),
    405,
  ],
  [
    'extended CONNECT (RFC 8441), which is not offered',
    head({ ':method': 'CONNECT' }, [':protocol', 'websocket']),
    null,
  ],
  ['a value with a space before it', head({}, ['x-a', ' b']), 400],
  ['a value with a tab behind it', head({}, ['if-match', '"b"\t']), 400],
  ['two credentials', head({}, ['authorization', 'Bearer good']), 400],
  ['two lengths', head({}, ['content-length', '0'], ['content-length', '0']), null],
  ['a length that is none', head({}, ['content-length', '+0']), null],
  ['a length in front of no body', head({}, ['content-length', '5']), null],
  ['two destinations', head({ ':method': 'COPY' }, ['destination', '/b'], ['destination', '/c']), 400],
  ['an expectation of something else', head({}, ['expect', 'tea']), 417],
  ['101 fields', head({}, ...Array.from({ length: 101 }, (): RawField => ['x-a', 'b'])), 431],
  ['a head beyond 16 KiB', head({}, ['x-a', 'b'.repeat(16_384)]), 431],
  ['a target beyond 8 KiB', head({ ':path': `/${'a'.repeat(8_192)}` }), 414],
];

for (const [title, fields, status] of refused) {
  test(`${title}: ${status ?? 'the stream is reset'}, and not a byte reaches the backend [CVE-2021-33193]`, async (t) => {
    const { port, backend } = await startH2Listener(t);
    const session = await openRawSession(port);
    t.after(() => session.destroy());
    session.send(headers(1, fields));
    const end = await session.end(1);
    if (status === null) assert.ok(end.reset !== null || session.goaway() !== null, `status ${end.status}`);
    else assert.equal(end.status, status);
    assert.equal(backend.text(), '');
  });
}

/** What Node's parser leaves out of a head before anybody sees it. */
const leftOut: readonly (readonly [title: string, malformed: RawField])[] = [
  ['a value with a line break', ['x-a', 'b\r\nx-c: d']],
  ['a value with a NUL', ['x-a', 'b\0']],
  ['a name with a line break', ['x-a\r\nx-b', 'c']],
  ['a name with a colon', ['x:a', 'c']],
  ['a name with a space', ['x a', 'c']],
  ['an empty name', ['', 'c']],
];

for (const [title, malformed] of leftOut) {
  test(`${title}: nothing of that field reaches the backend`, async (t) => {
    const { port, backend } = await startH2Listener(t);
    const session = await openRawSession(port);
    t.after(() => session.destroy());
    session.send(headers(1, head({}, malformed)));
    await session.end(1);
    assert.deepEqual(backend.violations, []);
    assert.doesNotMatch(backend.text(), /x-a|x-b|x-c|x:a|x a/);
    assert.ok(backend.requests.length <= 1);
  });
}

test('what follows a refused stream is served: only the stream has ended', async (t) => {
  const { port, backend } = await startH2Listener(t);
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  session.send(headers(1, head({}, ['host', 'other.example'])));
  assert.equal((await session.end(1)).status, 400);
  session.send(headers(3, plain));
  assert.equal((await session.end(3)).status, 200);
  assert.equal(backend.requests.length, 1);
});

test('the authority becomes the Host, and a Host that says the same is no second one', async (t) => {
  const { port, backend } = await startH2Listener(t);
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  session.send(headers(1, head({}, ['host', 'GW.example'])));
  assert.equal((await session.end(1)).status, 200);
  assert.deepEqual(hostsOf(backend.requests[0]?.head), ['gw.example']);
});

test('crumbs of Cookie are put together as RFC 9113 section 8.2.3 says', async (t) => {
  const { port, backend } = await startH2Listener(t);
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  session.send(headers(1, head({}, ['cookie', 'a=1'], ['x-b', '2'], ['cookie', 'c=3; d=4'])));
  assert.equal((await session.end(1)).status, 200);
  assert.deepEqual(backend.requests[0] && field(backend.requests[0], 'cookie'), 'a=1; c=3; d=4');
});

test('what a client says of itself or of identity goes no further, as in HTTP/1.1', async (t) => {
  const { port, backend } = await startH2Listener(t);
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  const hearsay: readonly RawField[] = [
    ['x-remote-user', 'root'],
    ['x_remote_user', 'root'],
    ['x-forwarded-for', '203.0.113.9'],
    ['te', 'trailers'],
    ['http2-settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
  ];
  session.send(headers(1, head({}, ...hearsay)));
  assert.equal((await session.end(1)).status, 200);
  const text = backend.text();
  assert.doesNotMatch(text, /root|203\.0\.113|trailers|http2-settings|authorization/i);
});

/** A PUT whose body comes as these frames, behind a head that says this of its length. */
const bodies: readonly (readonly [
  title: string,
  length: string | null,
  frames: readonly Buffer[],
  served: string | null,
])[] = [
  ['a body of the stated length', '5', [data('hel', false), data('lo', true)], 'hello'],
  ['a body of no stated length', null, [data('hel', false), data('lo', true)], 'hello'],
  ['an empty last frame', '5', [data('hello', false), data('', true)], 'hello'],
  ['a body that is too long', '3', [data('hello', true)], null],
  ['a body that is too short', '9', [data('hello', true)], null],
  ['a length of 0 in front of a body', '0', [data('hello', true)], null],
];

for (const [title, length, frames, served] of bodies) {
  test(`${title}: ${served === null ? 'the stream is reset, and no body reaches the backend' : 'served'} [CVE-2021-21295]`, async (t) => {
    const { port, backend } = await startH2Listener(t);
    const session = await openRawSession(port);
    t.after(() => session.destroy());
    const more: readonly RawField[] = length === null ? [] : [['content-length', length]];
    session.send(headers(1, head({ ':method': 'PUT' }, ...more), false), ...frames);
    const end = await session.end(1);
    if (served === null) {
      assert.notEqual(end.reset ?? session.goaway(), null);
      assert.deepEqual(backend.requests, []);
    } else {
      assert.equal(end.status, 200);
      assert.equal(backend.requests[0]?.body.toString(), served);
    }
    assert.deepEqual(backend.violations, []);
  });
}

test('trailers say nothing: neither a credential nor a length is taken from them', async (t) => {
  const { port, backend } = await startH2Listener(t);
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  const trailer: readonly RawField[] = [
    ['x-remote-user', 'root'],
    ['destination', '/b'],
  ];
  session.send(
    headers(1, head({ ':method': 'PUT' }), false),
    data('hello', false),
    frame(frameType.headers, flag.endHeaders | flag.endStream, 1, encode(trailer)),
  );
  assert.equal((await session.end(1)).status, 200);
  assert.equal(backend.requests[0]?.body.toString(), 'hello');
  assert.doesNotMatch(backend.text(), /root|destination/i);
  session.send(
    headers(3, head({ ':method': 'PUT', authorization: null }), false),
    data('hello', false, 3),
    frame(frameType.headers, flag.endHeaders | flag.endStream, 3, encode([['authorization', 'Bearer good']])),
  );
  assert.equal((await session.end(3)).status, 401);
});

test('pseudo-fields in trailers reset the stream', async (t) => {
  const { port } = await startH2Listener(t);
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  session.send(
    headers(1, head({ ':method': 'PUT' }), false),
    data('hello', false),
    frame(frameType.headers, flag.endHeaders | flag.endStream, 1, encode([[':path', '/b']])),
  );
  assert.notEqual((await session.end(1)).reset ?? session.goaway(), null);
});

function data(text: string, ends: boolean, stream = 1): Buffer {
  return frame(frameType.data, ends ? flag.endStream : 0, stream, Buffer.from(text));
}

function hostsOf(text: string | undefined): readonly string[] {
  return [...(text ?? '').matchAll(/^host: (.*)\r$/gim)].map(([, value]) => value as string);
}
