import { Fault } from '../core/errors.ts';

/** What a reset of a backend's connection is called: under Node's own name for it, Undici may take it for an end. */
export const resetCode = 'ECONNRESET_BY_BACKEND';

const unreachable = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EADDRNOTAVAIL',
  'EHOSTDOWN',
  'ENETDOWN',
  // Of sockets: a path through a file, links in a circle, one that takes datagrams, a full queue of connections.
  'ENOTDIR',
  'ELOOP',
  'EPROTOTYPE',
  'EAGAIN',
  // A firewall that says so.
  'EACCES',
  'EPERM',
  // What OpenSSL could not make sense of: plain text, an alert.
  'EPROTO',
]);

const garbage = new Set([
  // Some parser errors have a name only.
  'HTTPParserError',
  'UND_ERR_HEADERS_OVERFLOW',
  // Node refuses to pass on a reason phrase or field that is none.
  'ERR_INVALID_CHAR',
  'ERR_INVALID_HTTP_TOKEN',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

const reset = new Set(['UND_ERR_SOCKET', resetCode, 'ECONNRESET', 'ECONNABORTED', 'ENOTCONN', 'EPIPE']);

/**
 * Names what went wrong at which backend; the message keeps the cause for the log. What is none of the backend's
 * doing is 'internal'.
 */
export function toFault(error: Error, origin: string): Fault {
  if (error instanceof Fault) return error;
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return new Fault('backend_timeout', `${origin}: ${code}`, error);
  // OpenSSL's errors are ERR_SSL_…, and some of Node's own ERR_TLS_….
  if (unreachable.has(code) || /CERT|TLS|SSL|ALTNAME|UNABLE_TO_VERIFY/.test(code)) {
    return new Fault('backend_unreachable', `${origin}: ${code}`, error);
  }
  // Undici's words for an interim response or an upgrade that nobody asked for.
  if (code.startsWith('HPE_') || garbage.has(code) || /^bad (response|upgrade)$/.test(error.message)) {
    return new Fault('backend_garbage', `${origin}: ${code}`, error);
  }
  if (reset.has(code)) return new Fault('backend_reset', `${origin}: ${code}`, error);
  return new Fault('internal', `forwarding to ${origin} failed: ${code}`, error);
}

/** True where a connection was closed or reset that had carried a response before. */
export function closedWhileKept(error: unknown): boolean {
  if (!(error instanceof Error) || !reset.has((error as NodeJS.ErrnoException).code ?? '')) return false;
  const { socket } = error as { readonly socket?: { readonly bytesRead?: number } };
  return (socket?.bytesRead ?? 0) > 0;
}
