import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readPlainHead } from '../../../../src/server/lane/head.ts';

const line = 'GET /dav/a?b=c HTTP/1.1';

function read(...lines: readonly string[]): ReturnType<typeof readPlainHead> {
  return readPlainHead(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
}

describe('a plain head', () => {
  test('is read with its fields in order and spelling, values without the blanks around them', () => {
    assert.deepEqual(read(line, 'Host: gw', 'X-a:1', 'x-A: \t 2 3\t', 'Empty:'), {
      method: 'GET',
      target: '/dav/a?b=c',
      fields: ['Host', 'gw', 'X-a', '1', 'x-A', '2 3', 'Empty', ''],
      bodyBytes: 0,
      closes: false,
      headBytes: 65,
    });
  });

  test('may announce a body of stated length, and that the connection closes', () => {
    const head = read('PUT /a HTTP/1.1', 'Content-LENGTH: 12', 'connection: Close');
    assert.equal(head?.bodyBytes, 12);
    assert.equal(head.closes, true);
    assert.equal(read(line, 'Connection: Keep-Alive')?.closes, false);
  });

  test('ends at its empty line, whatever stands behind', () => {
    const bytes = Buffer.from(`${line}\r\n\r\n\x00\xff\r\n\r\n`, 'latin1');
    assert.equal(readPlainHead(bytes)?.headBytes, line.length + 4);
  });

  test('may be of any WebDAV method', () => {
    for (const method of ['PROPFIND', 'MKCALENDAR', 'M-SEARCH', 'UNLOCK', 'ACL']) {
      assert.equal(read(`${method} /a HTTP/1.1`)?.method, method);
    }
  });
});

describe('a head is not plain', () => {
  const doubtful: Readonly<Record<string, readonly string[]>> = {
    'with two spaces behind the method': ['GET  / HTTP/1.1'],
    'with a blank at the end of its line': [`${line} `],
    'with a tab in its target': ['GET /\ta HTTP/1.1'],
    'of an unknown method': ['FETCH / HTTP/1.1'],
    'of a method in lower case': ['get / HTTP/1.1'],
    'of CONNECT': ['CONNECT / HTTP/1.1'],
    'with an absolute target': ['GET http://gw/ HTTP/1.1'],
    'for the asterisk': ['OPTIONS * HTTP/1.1'],
    'of HTTP/1.0': ['GET / HTTP/1.0'],
    'of a version in lower case': ['GET / http/1.1'],
    'behind an empty line': ['', line],
    'with a folded field': [line, 'X-a: b', ' c'],
    'with a blank before a colon': [line, 'X-a : b'],
    'with a nameless field': [line, ': b'],
    'with a field without colon': [line, 'X-a'],
    'with a bare line feed': [line, 'X-a: b\nX-b: c'],
    'with a bare carriage return': [line, 'X-a: b\rX-b: c'],
    'with NUL': [line, 'X-a: \x00'],
    'with a letter beyond ASCII': [line, 'X-a: \xe9'],
    'with an expectation': [line, 'Expect: 100-continue'],
    'that offers an upgrade': [line, 'uPgrade: h2c'],
    'with a transfer coding': [line, 'transfer-Encoding: chunked'],
    'with two lengths': [line, 'Content-Length: 1', 'content-length: 1'],
    'with a signed length': [line, 'Content-Length: +1'],
    'with a list of lengths': [line, 'Content-Length: 1, 1'],
    'with an empty length': [line, 'Content-Length:'],
    'with a length of many digits': [line, `Content-Length: ${'0'.repeat(16)}`],
    'that nominates a field': [line, 'Connection: keep-alive, X-a'],
    'with an empty Connection': [line, 'Connection:'],
    'with Proxy-Connection': [line, 'Proxy-Connection: close'],
    'of more than 8 KiB': [line, `X-a: ${'a'.repeat(8_192)}`],
  };
  for (const [doubt, lines] of Object.entries(doubtful)) {
    test(doubt, () => assert.equal(read(...lines), null));
  }

  test('before all of it is there', () => {
    const whole = Buffer.from(`${line}\r\nHost: gw\r\n\r\n`, 'latin1');
    for (let length = 0; length < whole.length; length++) {
      assert.equal(readPlainHead(whole.subarray(0, length)), null);
    }
    assert.notEqual(readPlainHead(whole), null);
  });
});

/** What node:http makes of the same bytes: method, target and fields, or null where it refuses them. */
function parsedByNode(bytes: Buffer): Promise<readonly string[] | null> {
  return new Promise((resolve) => {
    const server = createServer({ requireHostHeader: false }, (req) =>
      resolve([req.method ?? '', req.url ?? '', ...req.rawHeaders]),
    );
    server.on('clientError', () => resolve(null));
    const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    server.emit('connection', socket);
    socket.push(bytes);
  });
}

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('GET', 'PUT', '/', '/a', ' HTTP/1.1', '\r\n', 'Host: gw', ': ') },
  { weight: 3, arbitrary: fc.constantFrom('\r\nX-a: b', '\r\nContent-Length: 0', '\r\nConnection: close') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(' ', '\t', '\n', '\r', ':', ',', '\x00', '\x7f', '\xe9', '"', '{'),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 4 }) },
);
const framed = fc
  .tuple(
    fc.constantFrom('GET', 'PUT', 'REPORT', 'ACL', 'PRI', 'SOURCE', 'DESCRIBE', 'SETUP', 'QUERY'),
    fc.array(piece, { maxLength: 3 }),
    fc.array(piece, { maxLength: 6 }),
  )
  .map(
    ([method, target, fields]) =>
      `${method} /${target.join('')} HTTP/1.1\r\nHost: gw${fields.join('')}\r\n\r\n`,
  );

test('whatever is plain, node:http reads the same way', async () => {
  let plain = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        framed,
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      async (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const head = readPlainHead(bytes);
        if (head === null) return;
        plain += 1;
        const parsed = await parsedByNode(bytes.subarray(0, head.headBytes));
        assert.deepEqual(parsed, [head.method, head.target, ...head.fields]);
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(plain > 100, `only ${plain} heads were plain`);
});
