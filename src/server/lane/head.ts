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
/** RFC 9112 section 3, for origin-form in HTTP/1.1 alone. */
const requestLine = /^([A-Z-]+) (\/[!-~]*) HTTP\/1\.1$/;
/** RFC 9110 section 5.6.2. */
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Whatever a plain head does not hold: controls, anything beyond ASCII, half a line break. */
const strange = /[^\t\r\n\x20-\x7e]|\r(?!\n)|(?<!\r)\n/;
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
  const text = bytes.toString('latin1', 0, end);
  if (strange.test(text)) return null;
  let lineEnd = text.indexOf('\r\n');
  const line = requestLine.exec(lineEnd === -1 ? text : text.slice(0, lineEnd));
  if (line === null || !methods.has(line[1] as string)) return null;
  const fields: string[] = [];
  let bodyBytes = -1;
  let closes = false;
  while (lineEnd !== -1) {
    const start = lineEnd + 2;
    lineEnd = text.indexOf('\r\n', start);
    const stop = lineEnd === -1 ? text.length : lineEnd;
    const colon = text.indexOf(':', start);
    if (colon === -1 || colon > stop) return null;
    const name = text.slice(start, colon);
    if (!fieldName.test(name)) return null;
    const value = text.slice(colon + 1, stop).trim();
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
    method: line[1] as string,
    target: line[2] as string,
    fields,
    bodyBytes: Math.max(bodyBytes, 0),
    closes,
    headBytes: end + emptyLine.length,
  };
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
