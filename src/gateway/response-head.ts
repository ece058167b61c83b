import { Fault } from '../core/errors.ts';
import { isOwnCookie } from '../core/own-cookies.ts';

/** Where a response came from and by what name the client knows us. */
export interface Addresses {
  /** Authorities that mean us in a backend's URLs: its own, and the Host it was sent. */
  readonly backendAuthorities: readonly string[];
  /** `https://public.example`: what they become for the client. */
  readonly clientOrigin: string;
  /** Our own pages are on the same origin: what the backend sends must not act there. */
  readonly besideOwnPages: boolean;
}

/** A response head ready for the client. */
export interface ClientHead {
  /** Flat names and values, hop-by-hop fields removed. */
  readonly fields: string[];
  /** Content-Length, or null where the end is told otherwise. */
  readonly lengthBytes: number | null;
}

/** What a backend answered, as its parser says: names in lower case, several values of one name in an array. */
export interface BackendAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** True where a 401 is about the gateway's own credentials. */
  readonly authenticatesItself: boolean;
}

/** RFC 9110 section 15 knows statuses below this. */
const statusEnd = 600;

/**
 * The head of a final answer for the client, as `clientHead` makes it.
 * @throws {Fault} where the answer is none, or says that the gateway itself was refused
 */
export function answerHead(answer: BackendAnswer, origin: string, addresses: Addresses): ClientHead {
  const { status, headers } = answer;
  if (status < 200 || status >= statusEnd) throw new Fault('backend_garbage', `${origin}: status ${status}`);
  if (status === 401 && answer.authenticatesItself) {
    throw new Fault('backend_refused_credentials', `${origin} answered 401 to the gateway itself`);
  }
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && String(coding).toLowerCase() !== 'chunked') {
    // We asked for no other: the body would go out coded and not say so.
    throw new Fault('backend_garbage', `${origin}: unknown transfer coding`);
  }
  // RFC 9110 section 8.6: there is none in a 204, and a client may wait for what it announces.
  return clientHead(status === 204 ? { ...headers, 'content-length': undefined } : headers, addresses);
}

/** RFC 9110 section 7.6.1, what frames the response on the backend's connection alone, and what no backend may say. */
const leftBehind = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // It would let a script of the backend stand before our own pages.
  'service-worker-allowed',
] as const;

/** Names as people write them; the parser hands them over in lower case. */
const spellings = [
  ...['Accept-Ranges', 'Age', 'Allow', 'Cache-Control', 'Content-Disposition', 'Content-Encoding'],
  ...['Content-Language', 'Content-Length', 'Content-Location', 'Content-Range', 'Content-Security-Policy'],
  ...['Content-Type', 'DAV', 'Date', 'ETag', 'Expires', 'Last-Modified', 'Link', 'Location', 'Lock-Token'],
  ...['MS-Author-Via', 'OC-ETag', 'OC-FileId', 'Preference-Applied', 'Retry-After', 'Schedule-Tag', 'Server'],
  ...['Set-Cookie', 'Strict-Transport-Security', 'Tus-Extension', 'Tus-Max-Size', 'Tus-Resumable'],
  ...['Tus-Version', 'Upload-Expires', 'Upload-Length', 'Upload-Offset', 'Vary', 'Via', 'WWW-Authenticate'],
  ...['X-Content-Type-Options', 'X-Frame-Options', 'X-Powered-By', 'X-Request-Id'],
] as const;

/** The spelling of a name for the client; null where it stays behind. */
const passedAs: ReadonlyMap<string, string | null> = new Map<string, string | null>([
  ...spellings.map((name): [string, string] => [name.toLowerCase(), name]),
  ...leftBehind.map((name): [string, null] => [name, null]),
]);

/**
 * Rewrites a backend's response head for the client: without hop-by-hop fields and those that Connection
 * nominates, and with Location and Content-Location mapped to the client's view of us. `headers` are the
 * parser's: names in lower case, several values of one name in an array.
 */
export function clientHead(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  addresses: Addresses,
): ClientHead {
  const fields: string[] = [];
  const { connection } = headers;
  const nominated = connection === undefined ? null : nominatedBy(String(connection));
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    const spelling = passedAs.get(name);
    if (spelling === null || value === undefined || nominated?.has(name) === true) continue;
    const sent = spelling ?? name;
    if (sent === 'Set-Cookie') pushCookies(fields, value);
    else {
      const maps = sent === 'Location' || sent === 'Content-Location';
      if (typeof value === 'string') fields.push(sent, maps ? mapLocation(value, addresses) : value);
      else for (const one of value) fields.push(sent, maps ? mapLocation(one, addresses) : one);
    }
  }
  if (addresses.besideOwnPages) fields.push('Content-Security-Policy', foreignPage);
  const length = headers['content-length'];
  return { fields, lengthBytes: length === undefined ? null : Number(length) };
}

/**
 * A page of the backend gets an origin of its own (CSP 3 section 6.4): a file that somebody uploaded must not read or
 * press what the person sees on our pages. Whoever asks: a browser that is signed in here may bring no cookie (another
 * site's form), or sign in while the page is open.
 */
const foreignPage = 'sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts';

/** No backend sets a cookie of our own pages: it could sign a browser in as somebody else. */
function pushCookies(fields: string[], value: string | readonly string[]): void {
  for (const one of typeof value === 'string' ? [value] : value) {
    if (!isOwnCookie(one)) fields.push('Set-Cookie', one);
  }
}

function nominatedBy(connection: string): ReadonlySet<string> | null {
  let names: Set<string> | null = null;
  for (const token of connection.split(',')) {
    const name = token.trim().toLowerCase();
    // A backend may not take away what frames its own response.
    if (name === '' || name === 'close' || name === 'keep-alive' || name === 'content-length') continue;
    names ??= new Set();
    names.add(name);
  }
  return names;
}

/**
 * Replaces a backend's own scheme and authority by the client's, also in `//authority/…`, with the scheme's
 * default port written out or not; leaves every other URL alone.
 */
function mapLocation(value: string, addresses: Addresses): string {
  const absolute = /^(https?:)?\/\/([^/?#]*)/i.exec(value);
  if (absolute === null) return value;
  const authority = (absolute[2] as string).toLowerCase();
  const defaultPort = absolute[1]?.length === 'https:'.length ? ':443' : ':80';
  const own = addresses.backendAuthorities.some(
    (known) => withoutPort(known, defaultPort) === withoutPort(authority, defaultPort),
  );
  return own ? addresses.clientOrigin + value.slice(absolute[0].length) : value;
}

function withoutPort(authority: string, port: string): string {
  return authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
}
