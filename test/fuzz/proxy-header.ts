/** What a connection behind a proxy begins with: the header of the PROXY protocol. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { type ProxyHeader, proxyHeaderBytesMax, readProxyHeader } from '../../src/server/proxy-header.ts';

export const subjects: readonly string[] = ['server/proxy-header.ts'];

export const words: readonly string[] = [
  ...[
    'PROXY ',
    'TCP4 ',
    'TCP6 ',
    'UNKNOWN',
    '192.0.2.7 ',
    '2001:db8::7 ',
    '::ffff:192.0.2.7 ',
    '65535 ',
    '\r\n',
  ],
  ...['\r\n\r\n\0\r\nQUIT\n', '\x21\x11\0\x0c', '\x21\x21\0\x24', '\x21\x31', '\x21\0\0\0', '\x20\0\0\0'],
];

export const bytesMax = 4_200;

const followers = [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.from([0x16, 3, 1, 0]), Buffer.from('\r\n')];

/**
 * Another reader finds the same end and the same address, and whether it is the proxy's own word; a header is there with
 * its last byte and not before; what follows it, or follows what is none, changes nothing; and no more is waited for than
 * the longest header has.
 */
export function fuzz(input: Buffer): void {
  const read = readProxyHeader(input);
  if (read.kind === 'unfinished') {
    assert.ok(input.length < proxyHeaderBytesMax);
    return;
  }
  for (const follower of followers) {
    assert.deepEqual(readProxyHeader(Buffer.concat([input, follower])), read, 'what follows does not matter');
  }
  if (read.kind === 'malformed') return;
  assert.ok(read.bytes <= input.length && read.bytes <= proxyHeaderBytesMax);
  const header = input.subarray(0, read.bytes);
  assert.deepEqual(readProxyHeader(header), read);
  for (let cut = 0; cut < header.length; cut += Math.ceil(header.length / 256)) {
    assert.equal(readProxyHeader(header.subarray(0, cut)).kind, 'unfinished', `at ${cut}`);
  }
  assert.deepEqual(told(read), header[0] === 0x50 ? readWords(header) : readBytes(header));
}

/** Without a client's address: whose word it is. */
type Told = 'the proxy' | 'nobody' | { readonly address: string };

function told({ address, isLocal }: Extract<ProxyHeader, { kind: 'header' }>): Told {
  if (address === null) return isLocal ? 'the proxy' : 'nobody';
  assert.ok(!isLocal && isIP(address) !== 0, address);
  return { address: urlHost(address) };
}

/** Version 1 as a list of words. */
function readWords(header: Buffer): Told {
  const [keyword, family, source = '', destination = '', ...ports] = header.toString('latin1').split(' ');
  assert.equal(keyword, 'PROXY');
  assert.equal(header.indexOf('\r\n'), header.length - 2);
  if (family?.trimEnd() === 'UNKNOWN') return 'nobody';
  const version = family === 'TCP4' ? 4 : 6;
  assert.deepEqual([family, isIP(source), isIP(destination)], [`TCP${version}`, version, version]);
  assert.ok(ports.length === 2 && ports.every((port) => Number(port) >= 0 && Number(port) <= 65_535));
  return { address: urlHost(source) };
}

/** Version 2 by its bytes. */
function readBytes(header: Buffer): Told {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  assert.equal(header.toString('latin1', 0, 12), '\r\n\r\n\0\r\nQUIT\n');
  assert.equal(view.getUint16(14) + 16, header.length);
  if (view.getUint8(12) === 0x20) return 'the proxy';
  assert.equal(view.getUint8(12), 0x21);
  const family = view.getUint8(13);
  if (family === 0x11) return { address: urlHost(String(view.getUint32(16))) };
  if (family !== 0x21) return 'nobody';
  const groups = header.toString('hex', 16, 32).match(/.{4}/g) ?? [];
  return { address: urlHost(groups.join(':')) };
}

/** In the one spelling that the URL standard has for an address; a number is one of IPv4. */
function urlHost(address: string): string {
  return new URL(`http://${isIP(address) === 6 ? `[${address}]` : address}/`).hostname;
}
