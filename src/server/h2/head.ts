/** A head that came as fields (RFC 9113 section 8.3), in the words of HTTP/1.1. */
export interface StreamHead {
  readonly method: string;
  /** The target as received; '' where there is none, as in CONNECT. */
  readonly target: string;
  /** Flat name, value, name, value …, with Host and what frames the body. */
  readonly fields: readonly string[];
  /** False where pseudo-fields or fields are not what RFC 9113 wants: nothing may rest on such a head. */
  readonly isExact: boolean;
}

/** Fields of a connection, which a stream has none of (RFC 9113 section 8.2.2). */
const ofConnections: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110 section 5.6.2, without capitals. */
const fieldName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** RFC 9110 section 5.5, white space at neither end. */
const fieldValue = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;

/**
 * Reads pseudo-fields and fields as one head of HTTP/1.1, which the strict reader then judges: `:authority` becomes Host (a
 * Host that differs stays, as a second one), crumbs of Cookie become one (section 8.2.3), and a body of unstated length
 * is chunked. `ended` says that there is no body.
 */
export function readStreamHead(received: readonly string[], ended: boolean): StreamHead {
  const pseudo = new Map<string, string>();
  const fields: string[] = [];
  let cookie: string | null = null;
  let host: string | null = null;
  let hasLength = false;
  let isExact = true;
  for (let at = 0; at < received.length; at += 2) {
    const name = received[at] as string;
    const value = received[at + 1] as string;
    if (name.startsWith(':')) {
      // In front of every field, and once.
      if (pseudo.has(name) || fields.length > 0) isExact = false;
      pseudo.set(name, value);
      continue;
    }
    if (!fieldName.test(name) || !fieldValue.test(value) || ofConnections.has(name)) isExact = false;
    if (name === 'content-length') hasLength = true;
    if (name === 'cookie') cookie = cookie === null ? value : `${cookie}; ${value}`;
    else if (name === 'host' && host === null) host = value;
    else fields.push(name, value);
  }
  const method = pseudo.get(':method') ?? '';
  const authority = pseudo.get(':authority') ?? null;
  if (authority !== null) fields.push('host', authority);
  if (host !== null && host.toLowerCase() !== authority?.toLowerCase()) fields.push('host', host);
  if (cookie !== null) fields.push('cookie', cookie);
  // A length of 0 and no end is a body of its own kind: nothing follows but the end.
  if (!ended && !hasLength) fields.push('transfer-encoding', 'chunked');
  if (method !== 'CONNECT' && pseudo.get(':scheme') !== 'https') isExact = false;
  if (method === '' || pseudo.has(':protocol')) isExact = false;
  return { method, target: pseudo.get(':path') ?? '', fields, isExact };
}
