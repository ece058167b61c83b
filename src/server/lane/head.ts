import { METHODS } from 'node:http';

/** A request head that nobody could read in two ways. */
export interface PlainHead {
  readonly method: string;
  /** Origin-form, visible ASCII. */
  readonly target: string;
  /** Flat name, value, name, value … in order and spelling of arrival; values without the blanks around them. */
  readonly fields: readonly string[];
  /** Bytes of the body (RFC 9110 section 8.6); 0 where none was announced. */
  readonly bodyBytes: number;
  /** The client asked for the connection to end behind the answer. */
  readonly closes: boolean;
  /** Bytes of the head, the empty line included. */
  readonly headBytes: number;
}

/** Longer heads are somebody else's; the longest that anybody takes is twice this. */
const plainBytesMax = 8_192;

const emptyLine = Buffer.from('\r\n\r\n');
const versionLine = ' HTTP/1.1\r\n';
const [tab, lineFeed, carriageReturn, space, slash, colon] = [0x09, 0x0a, 0x0d, 0x20, 0x2f, 0x3a];
/** By byte: 1 where a field name may hold it (RFC 9110 section 5.6.2). */
const ofName: Uint8Array = tableOf(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/);
/** By byte: 1 where the value of a plain field may hold it. */
const ofValue: Uint8Array = tableOf(/[\t\x20-\x7e]/);
/** By byte: 1 where a target may hold it. */
const ofTarget: Uint8Array = tableOf(/[!-~]/);
const lengthValue = /^[0-9]{1,15}$/;

// CONNECT opens a tunnel: it is no request that could be answered and followed by another.
const methods: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== 'CONNECT'));

/**
 * Reads the head at the start of `bytes` where all of it is there and it is plain: HTTP/1.1, a known method,
 * origin-form, ASCII, a body of stated length or none, a connection that stays or closes. Returns null
 * wherever there is any doubt, which is no verdict: a full parser decides what those bytes are.
 */
export function readPlainHead(bytes: Buffer): PlainHead | null {
  const end = bytes.indexOf(emptyLine);
  if (end === -1 || end > plainBytesMax) return null;
  const text = bytes.toString('latin1', 0, end + 2);
  const methodEnd = text.indexOf(' ');
  const method = text.slice(0, methodEnd);
  if (!methods.has(method) || bytes[methodEnd + 1] !== slash) return null;
  const targetEnd = endOf(ofTarget, bytes, methodEnd + 1);
  if (!text.startsWith(versionLine, targetEnd)) return null;
  const fields: string[] = [];
  let bodyBytes = -1;
  let closes = false;
  // Every line ends before the empty one, so that no loop runs past it.
  for (let at = targetEnd + versionLine.length; at < text.length; at += 2) {
    const nameEnd = endOf(ofName, bytes, at);
    if (nameEnd === at || bytes[nameEnd] !== colon) return null;
    const name = text.slice(at, nameEnd);
    let start = nameEnd + 1;
    while (isBlank(bytes[start])) start++;
    at = endOf(ofValue, bytes, start);
    if (bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed) return null;
    let stop = at;
    while (stop > start && isBlank(bytes[stop - 1])) stop--;
    const value = text.slice(start, stop);
    fields.push(name, value);
    switch (meaningOf(name)) {
      case 'length':
        if (bodyBytes !== -1 || !lengthValue.test(value)) return null;
        bodyBytes = Number(value);
        break;
      case 'connection':
        if (/^close$/i.test(value)) closes = true;
        else if (!/^keep-alive$/i.test(value)) return null;
        break;
      case 'doubtful':
        return null;
      default:
    }
  }
  return {
    method,
    target: text.slice(methodEnd + 1, targetEnd),
    fields,
    bodyBytes: Math.max(bodyBytes, 0),
    closes,
    headBytes: end + emptyLine.length,
  };
}

/** Where the bytes of a table end that begin at `start`. */
function endOf(table: Uint8Array, bytes: Buffer, start: number): number {
  let at = start;
  while (table[bytes[at] as number] === 1) at++;
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === space || byte === tab;
}

function tableOf(character: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => Number(character.test(String.fromCharCode(code))));
}

/** What a field means for framing and the connection; most mean nothing, and their length says so. */
function meaningOf(name: string): 'length' | 'connection' | 'doubtful' | 'none' {
  switch (name.length) {
    case 6:
      return name.toLowerCase() === 'expect' ? 'doubtful' : 'none';
    case 7:
      return name.toLowerCase() === 'upgrade' ? 'doubtful' : 'none';
    case 10:
      return name.toLowerCase() === 'connection' ? 'connection' : 'none';
    case 14:
      return name.toLowerCase() === 'content-length' ? 'length' : 'none';
    case 16:
      return name.toLowerCase() === 'proxy-connection' ? 'doubtful' : 'none';
    case 17:
      return name.toLowerCase() === 'transfer-encoding' ? 'doubtful' : 'none';
    default:
      return 'none';
  }
}
