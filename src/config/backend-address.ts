import { parseOrigin } from './addresses.ts';
import type { Parsed } from './quantities.ts';

/** The longest name of a socket that every system takes: `sun_path` holds 108 bytes on Linux, with a NUL at its end. */
const socketPathBytesMax = 107;

/** Where a backend is to be found, as its address in the configuration says. */
export interface BackendPlace {
  /** The address itself, for logs and errors: `http://host:port` or `unix:/path`. */
  readonly name: string;
  /** Scheme and authority of requests to it; over a socket `http://localhost`. */
  readonly url: URL;
  /** The socket file; null: TCP to the host of `url`. */
  readonly socketPath: string | null;
}

/**
 * A backend: an origin as `parseOrigin` takes it, or `unix:` and the absolute path of a socket file, taken literally.
 * The value itself is never repeated.
 */
export function parseBackend(text: string): Parsed<string> {
  if (/^unix:/i.test(text)) return parseSocket(text.slice('unix:'.length));
  if (/^https?:\/\//i.test(text)) return parseOrigin(text);
  return { wrong: 'must be a URL that starts with http:// or https://, or unix: and the path of a socket' };
}

/** Where the backend of this address is; `address` is what `parseBackend` has let through. */
export function backendPlace(address: string): BackendPlace {
  if (!address.startsWith('unix:')) return { name: address, url: new URL(address), socketPath: null };
  return { name: address, url: new URL('http://localhost'), socketPath: address.slice('unix:'.length) };
}

function parseSocket(path: string): Parsed<string> {
  if (path.startsWith('//')) {
    return {
      wrong: 'cannot name a host: a socket is on this machine; write it like unix:/run/radicale.sock',
    };
  }
  if (!path.startsWith('/')) {
    return { wrong: 'must hold the absolute path of a socket, such as unix:/run/radicale.sock' };
  }
  if (path.endsWith('/') || /\p{Cc}/u.test(path)) {
    return {
      wrong:
        'must end with the name of a socket and hold no control character, such as unix:/run/radicale.sock',
    };
  }
  const bytes = Buffer.byteLength(path);
  if (bytes > socketPathBytesMax) {
    return {
      wrong: `has a path of ${bytes} bytes, and a socket may have ${socketPathBytesMax}: choose a shorter one`,
    };
  }
  return { value: `unix:${path}` };
}
