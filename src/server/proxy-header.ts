import { isIP, SocketAddress } from 'node:net';

/** What the start of a connection says about its client (PROXY protocol, versions 1 and 2). */
export type ProxyHeader =
  /** Not all of it is there. */
  | { readonly kind: 'unfinished' }
  /** It is none, or says what it must not. */
  | { readonly kind: 'malformed' }
  /** `address` null: the proxy itself speaks (LOCAL), or would not tell who does (UNKNOWN). */
  | {
      readonly kind: 'header';
      readonly bytes: number;
      readonly address: string | null;
      /** True where the proxy speaks for itself. */
      readonly isLocal: boolean;
    };

/** Section 2.1: the longest line of version 1, its end included. */
const lineBytesMax = 107;
/** Section 2.2: what version 2 begins with. */
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const fixedBytes = 16;
/** Addresses and what follows them; real proxies send some hundred bytes. */
const restBytesMax = 4_096;

const unfinished: ProxyHeader = { kind: 'unfinished' };
const malformed: ProxyHeader = { kind: 'malformed' };
const line =
  /^PROXY (?:UNKNOWN(?: [!-~ ]*)?|TCP(4|6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4}))\r\n$/;

/** The longest header there is. */
export const proxyHeaderBytesMax: number = fixedBytes + restBytesMax;

/** Reads the header at the start of `bytes`, as strictly as the specification of the PROXY protocol says. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const compared = Math.min(bytes.length, signature.length);
  if (compared === 0) return unfinished;
  if (bytes.subarray(0, compared).equals(signature.subarray(0, compared))) {
    return bytes.length < fixedBytes ? unfinished : readBinary(bytes);
  }
  const prefix = bytes.toString('latin1', 0, 6);
  if (!'PROXY '.startsWith(prefix)) return malformed;
  const end = bytes.indexOf('\r\n', 0, 'latin1');
  if (end === -1) return bytes.length < lineBytesMax ? unfinished : malformed;
  return end + 2 > lineBytesMax ? malformed : readLine(bytes.toString('latin1', 0, end + 2));
}

function readLine(text: string): ProxyHeader {
  const parts = line.exec(text);
  if (parts === null) return malformed;
  const [, family, source = '', destination = '', ...ports] = parts;
  if (family === undefined) return { kind: 'header', bytes: text.length, address: null, isLocal: false };
  const isRight = [source, destination].every((address) => isIP(address) === Number(family));
  if (!isRight || ports.some((port) => Number(port) > 65_535)) return malformed;
  return { kind: 'header', bytes: text.length, address: oneSpelling(source), isLocal: false };
}

function readBinary(bytes: Buffer): ProxyHeader {
  const version = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const restBytes = bytes.readUInt16BE(14);
  if (version !== 0x20 && version !== 0x21) return malformed;
  if (restBytes > restBytesMax) return malformed;
  const end = fixedBytes + restBytes;
  if (bytes.length < end) return unfinished;
  if (version === 0x20) return { kind: 'header', bytes: end, address: null, isLocal: true };
  const rest = bytes.subarray(fixedBytes, end);
  switch (family) {
    case 0x11:
      if (rest.length < 12) return malformed;
      return { kind: 'header', bytes: end, address: [...rest.subarray(0, 4)].join('.'), isLocal: false };
    case 0x21:
      if (rest.length < 36) return malformed;
      return { kind: 'header', bytes: end, address: addressOf6(rest.subarray(0, 16)), isLocal: false };
    // Nothing that could be compared with a network: unspecified, or a socket of the proxy's machine.
    case 0x00:
      return { kind: 'header', bytes: end, address: null, isLocal: false };
    case 0x31:
      return rest.length < 216 ? malformed : { kind: 'header', bytes: end, address: null, isLocal: false };
    default:
      return malformed;
  }
}

function addressOf6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return oneSpelling(groups.join(':'));
}

function oneSpelling(address: string): string {
  if (isIP(address) === 4) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
