import type { Inbound } from '../../../src/core/decision.ts';

/** A request as an input of a fuzz target writes it. */
export interface WrittenRequest {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Reads `METHOD target`, lines of `Name: value`, an empty line and a body, lines ended by LF. What no HTTP parser
 * hands on is left out: names that are no tokens, values with control characters.
 */
export function readRequestText(input: Buffer): WrittenRequest {
  const end = input.indexOf('\n\n');
  const head = input.toString('latin1', 0, end === -1 ? input.length : end);
  const [line = '', ...fields] = head.split('\n');
  const space = line.indexOf(' ');
  const rawHeaders: string[] = [];
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, Math.max(0, colon));
    const value = trimBlanks(field.slice(colon + 1));
    if (token.test(name) && !/[\0-\x08\x0a-\x1f\x7f]/.test(value)) rawHeaders.push(name, value);
  }
  return {
    method: space === -1 ? line : line.slice(0, space),
    target: space === -1 ? '' : line.slice(space + 1),
    rawHeaders,
    body: end === -1 ? Buffer.alloc(0) : input.subarray(end + 2),
  };
}

/** Without spaces, tabs and line breaks at both ends, and no other white space: in one pass, however long it is. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && ' \t\r\n'.includes(text.charAt(start))) start++;
  while (end > start && ' \t\r\n'.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** The same as a decision gets it, from a client without TLS. */
export function inboundOf(request: WrittenRequest, peerAddress = '192.0.2.7'): Inbound {
  const { method, target, rawHeaders, body } = request;
  return {
    method,
    target,
    rawHeaders,
    exactLine: true,
    httpVersion: '1.1',
    peerAddress,
    tls: false,
    readBody: (bytesMax) => Promise.resolve(body.length > bytesMax ? null : body),
  };
}

/** Every value of a field, in order, its name compared without regard to case. */
export function valuesOf(rawHeaders: readonly string[], lowerName: string): readonly string[] {
  return rawHeaders.filter((_value, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === lowerName);
}
