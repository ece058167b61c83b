import type { ClientSideReader } from '../../gateway/client-side.ts';
import type { Asked } from '../ask.ts';
import { askedFrom } from '../told.ts';
import type { CheckRequest, HttpRequest } from './messages.ts';

/** Envoy removes and sets what it is told to, and forwards under the path that it is told. */
const abilities = { removes: null, setsWhatIsTold: true, replacesTarget: true };

/**
 * Reads what Envoy asks, or says what is wrong with it. Nothing is guessed: an attribute that is missing, empty, malformed
 * or said twice with two values makes the whole question unreadable. The sentence names the attribute, never its value.
 */
export function readCheckRequest({ attributes }: CheckRequest, clientSide: ClientSideReader): Asked | string {
  const http = attributes?.request?.http;
  if (http === undefined) return 'request.http is missing';
  const { method = '', path: target = '', host = '', scheme = '' } = http;
  if (host === '') return 'request.http.host is missing';
  const peer = attributes?.source?.address?.socketAddress?.address;
  if (peer === undefined) return 'source.address is missing';
  const lines = readLines(http);
  if (typeof lines === 'string') return lines;
  const said = new Map([
    [':method', method],
    [':path', target],
    [':authority', host],
    [':scheme', scheme],
    ['host', host],
  ]);
  const own: string[] = [];
  const addresses: string[] = [];
  for (const [name, value] of lines) {
    const known = said.get(name);
    if (known !== undefined) {
      if (known !== value) return `${name} says two things`;
    } else if (!tokenPattern.test(name)) return 'a header name is none';
    else if (controlPattern.test(value)) return 'a header holds a control character';
    else if (name === 'x-forwarded-for') addresses.push(value);
    else own.push(name, value);
  }
  return askedFrom(
    { method, target, host, scheme, addresses: [...addresses, peer].join(','), own },
    clientSide,
    abilities,
  );
}

/** RFC 9110 section 5.6.2. */
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 9110 section 5.5 forbids exactly these.
const controlPattern = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** The header lines, one character per byte; or the attribute that is wrong. */
function readLines({ headers, headerMap }: HttpRequest): (readonly [string, string])[] | string {
  const joined = Object.entries(headers ?? {});
  const lines = headerMap?.headers ?? [];
  if (joined.length > 0 && lines.length > 0) return 'headers are told in two ways';
  // Envoy tells at least the pseudo-headers: a question without any header was not made by it.
  if (joined.length === 0 && lines.length === 0) return 'request.http.headers is missing';
  if (joined.length > 0) return joined.map(([name, value]) => [name.toLowerCase(), bytesOf(value)] as const);
  const read: (readonly [string, string])[] = [];
  for (const { key = '', value = '', rawValue } of lines) {
    if (value !== '' && rawValue !== undefined) return 'request.http.header_map says two things';
    read.push([
      key.toLowerCase(),
      rawValue === undefined ? bytesOf(value) : Buffer.from(rawValue).toString('latin1'),
    ]);
  }
  return read;
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
