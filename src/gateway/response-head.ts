/** Where a response came from and by what name the client knows us. */
export interface Addresses {
  /** Authorities that mean us in a backend's URLs: its own, and the Host it was sent. */
  readonly backendAuthorities: readonly string[];
  /** `https://public.example`: what they become for the client. */
  readonly clientOrigin: string;
}

/** A response head ready for the client. */
export interface ClientHead {
  /** Flat names and values, hop-by-hop fields removed. */
  readonly fields: string[];
  /** Content-Length, or null where the end is told otherwise. */
  readonly lengthBytes: number | null;
}

/**
 * Copies a backend's response head in its own spelling, without hop-by-hop fields (RFC 9110
 * section 7.6.1) and with Location and Content-Location mapped to the client's view of us.
 */
export function clientHead(rawHeaders: readonly Buffer[], addresses: Addresses): ClientHead {
  const fields: string[] = [];
  let lengthBytes: number | null = null;
  let nominated: Set<string> | null = null;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as Buffer).toString('latin1');
    const value = (rawHeaders[at + 1] as Buffer).toString('latin1');
    switch (name.length) {
      case 2:
        if (name.toLowerCase() === 'te') continue;
        break;
      case 7:
        if (name.toLowerCase() === 'trailer' || name.toLowerCase() === 'upgrade') continue;
        break;
      case 8:
        if (name.toLowerCase() === 'location') {
          fields.push(name, mapLocation(value, addresses));
          continue;
        }
        break;
      case 10: {
        const lower = name.toLowerCase();
        if (lower === 'connection') {
          nominated = nominatedBy(value, nominated);
          continue;
        }
        if (lower === 'keep-alive') continue;
        break;
      }
      case 14:
        if (name.toLowerCase() === 'content-length') lengthBytes = Number(value);
        break;
      case 16: {
        const lower = name.toLowerCase();
        if (lower === 'content-location') {
          fields.push(name, mapLocation(value, addresses));
          continue;
        }
        if (lower === 'proxy-connection') continue;
        break;
      }
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') continue;
        break;
      case 18:
        if (name.toLowerCase() === 'proxy-authenticate') continue;
        break;
      default:
        break;
    }
    fields.push(name, value);
  }
  return { fields: nominated === null ? fields : without(fields, nominated), lengthBytes };
}

function nominatedBy(connection: string, earlier: Set<string> | null): Set<string> | null {
  let names = earlier;
  for (const token of connection.split(',')) {
    const name = token.trim().toLowerCase();
    // A backend may not take away what frames its own response.
    if (name === '' || name === 'close' || name === 'keep-alive' || name === 'content-length') continue;
    names ??= new Set();
    names.add(name);
  }
  return names;
}

function without(fields: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (!names.has(name.toLowerCase())) kept.push(name, fields[at + 1] as string);
  }
  return kept;
}

/** Replaces a backend's own scheme and authority by the client's; leaves every other URL alone. */
function mapLocation(value: string, addresses: Addresses): string {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(value);
  if (absolute === null) return value;
  const authority = (absolute[1] ?? '').toLowerCase();
  return addresses.backendAuthorities.includes(authority)
    ? addresses.clientOrigin + (absolute[2] ?? '')
    : value;
}
