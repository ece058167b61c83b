import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProxyHeader } from '../../../src/server/proxy-header.ts';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** A header of version 2. */
function binary(versionCommand: number, family: number, rest: Buffer): Buffer {
  const fixed = Buffer.from([versionCommand, family, rest.length >> 8, rest.length & 0xff]);
  return Buffer.concat([signature, fixed, rest]);
}

const inet = Buffer.from([192, 168, 0, 1, 192, 168, 0, 11, 0xdc, 0x04, 0x01, 0xbb]);
const inet6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('20010db8000000000000000000000002', 'hex'),
  Buffer.from([0xdc, 0x04, 0x01, 0xbb]),
]);
const mapped = Buffer.concat([Buffer.from('00000000000000000000ffffc0a80001', 'hex'), Buffer.alloc(20)]);
const noop = Buffer.from([0x04, 0x00, 0x03, 0, 0, 0]);
const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

const headers: readonly (readonly [title: string, bytes: Buffer, address: string | null])[] = [
  ['TCP over IPv4', latin('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n'), '192.168.0.1'],
  [
    'its longest line',
    latin('PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n'),
    '255.255.255.255',
  ],
  ['TCP over IPv6', latin('PROXY TCP6 2001:DB8:0::1 2001:db8::2 56324 443\r\n'), '2001:db8::1'],
  ['an unknown client', latin('PROXY UNKNOWN\r\n'), null],
  [
    'an unknown client and whatever is said of it',
    latin('PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n'),
    null,
  ],
  ['version 2, IPv4', binary(0x21, 0x11, inet), '192.168.0.1'],
  ['version 2, IPv4 with more behind', binary(0x21, 0x11, Buffer.concat([inet, noop])), '192.168.0.1'],
  ['version 2, IPv6', binary(0x21, 0x21, inet6), '2001:db8::1'],
  ['version 2, IPv4 in IPv6', binary(0x21, 0x21, mapped), '::ffff:192.168.0.1'],
  ['version 2, unspecified', binary(0x21, 0x00, Buffer.alloc(0)), null],
  ['version 2, a unix socket', binary(0x21, 0x31, Buffer.alloc(216)), null],
];

for (const [title, bytes, address] of headers) {
  test(`${title}: read to its last byte, however it is cut, and not a byte further`, () => {
    const followed = Buffer.concat([bytes, latin('GET / HTTP/1.1\r\n\r\n')]);
    const expected = { kind: 'header', bytes: bytes.length, address, isLocal: false };
    assert.deepEqual(readProxyHeader(followed), expected);
    for (let cut = 0; cut < bytes.length; cut++)
      assert.deepEqual(readProxyHeader(followed.subarray(0, cut)), { kind: 'unfinished' }, `at ${cut}`);
  });
}

test('LOCAL is the proxy itself, whatever addresses it says', () => {
  const bytes = binary(0x20, 0x11, inet);
  assert.deepEqual(readProxyHeader(bytes), {
    kind: 'header',
    bytes: bytes.length,
    address: null,
    isLocal: true,
  });
});

const wrong: readonly (readonly [title: string, bytes: Buffer])[] = [
  ['a request', latin('GET / HTTP/1.1\r\n')],
  ['the start of a handshake', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])],
  ['small letters', latin('proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n')],
  ['two spaces', latin('PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n')],
  ['a tab', latin('PROXY TCP4\t1.2.3.4 1.2.3.4 1 1\r\n')],
  ['a line feed alone', latin(`PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n${'x'.repeat(100)}`)],
  ['another protocol', latin('PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n')],
  ['addresses of the other family', latin('PROXY TCP4 2001:db8::1 2001:db8::2 1 1\r\n')],
  ['an address with leading zeros', latin('PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n')],
  ['an address with a zone', latin('PROXY TCP6 fe80::1%eth0 fe80::2 1 1\r\n')],
  ['an address that is none', latin('PROXY TCP4 1.2.3.999 1.2.3.4 1 1\r\n')],
  ['a port beyond 65535', latin('PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n')],
  ['a port with a leading zero', latin('PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n')],
  ['a port that is missing', latin('PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n')],
  ['something behind the ports', latin('PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n')],
  ['a line without end', latin(`PROXY UNKNOWN ${'x'.repeat(107)}`)],
  ['a line beyond 107 bytes', latin(`PROXY UNKNOWN ${'x'.repeat(100)}\r\n`)],
  ['version 1 in the words of version 2', binary(0x11, 0x11, inet)],
  ['version 3', binary(0x31, 0x11, inet)],
  ['an unknown command', binary(0x22, 0x11, inet)],
  ['datagrams', binary(0x21, 0x12, inet)],
  ['an unknown family', binary(0x21, 0x41, inet)],
  ['addresses cut short', binary(0x21, 0x11, inet.subarray(0, 11))],
  ['addresses of IPv6 cut short', binary(0x21, 0x21, inet6.subarray(0, 35))],
  ['more than anybody sends', Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff])])],
];

for (const [title, bytes] of wrong) {
  test(`${title}: no header`, () => {
    assert.deepEqual(readProxyHeader(bytes), { kind: 'malformed' });
  });
}

test('random bytes, and headers with any byte changed, are read without a throw and never beyond their end', () => {
  let state = 1;
  const random = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let round = 0; round < 20_000; round++) {
    const [, original] = headers[random(headers.length)] as (typeof headers)[number];
    const bytes = Buffer.from(original);
    for (let change = random(4); change > 0; change--) bytes[random(bytes.length)] = random(256);
    const read = readProxyHeader(bytes.subarray(0, random(bytes.length + 1)));
    if (read.kind === 'header') assert.ok(read.bytes <= bytes.length);
  }
});
