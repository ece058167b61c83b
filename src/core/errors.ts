/** Every expected no, by the name that logs and metrics carry. */
export type DenialCode =
  | 'malformed_request'
  | 'malformed_target'
  | 'malformed_host'
  | 'duplicate_header'
  | 'malformed_header'
  | 'two_credentials'
  | 'malformed_credential'
  | 'token_in_url'
  | 'malformed_destination'
  | 'malformed_if'
  | 'malformed_body'
  | 'body_too_large'
  | 'unauthenticated'
  | 'too_many_failures'
  | 'too_many_requests'
  | 'too_many_connections'
  | 'outside_scope'
  | 'no_route'
  | 'method_refused'
  | 'request_timeout'
  | 'target_too_long'
  | 'expectation_failed'
  | 'misdirected'
  | 'head_too_large';

/** What is the same for every denial of one code. */
export interface DenialKind {
  /** RFC 9110 status. */
  readonly status: number;
  /** The sentence shown to the client; never holds input. */
  readonly detail: string;
  /** True where the connection ends with it: framing in doubt, a head unread, or one that says two things. */
  readonly close: boolean;
}

/** The one table from denial to HTTP. */
export const denials: Readonly<Record<DenialCode, DenialKind>> = {
  malformed_request: { status: 400, detail: 'The request head is malformed.', close: true },
  malformed_target: { status: 400, detail: 'The request target is not acceptable.', close: true },
  malformed_host: { status: 400, detail: 'The Host header is not a valid authority.', close: true },
  duplicate_header: { status: 400, detail: 'A header that may stand once stands twice.', close: true },
  malformed_header: { status: 400, detail: 'A request header is malformed.', close: true },
  two_credentials: { status: 400, detail: 'Send one credential, not several.', close: true },
  malformed_credential: { status: 400, detail: 'The credential is malformed.', close: true },
  token_in_url: {
    status: 400,
    detail:
      'An app token stands in the URL, where others may have logged it: revoke it and send another as a credential.',
    close: false,
  },
  malformed_destination: {
    status: 400,
    detail: 'The Destination header must be one absolute path or URL on this host.',
    close: true,
  },
  malformed_if: { status: 400, detail: 'The If header does not follow RFC 4918 section 10.4.', close: true },
  malformed_body: {
    status: 400,
    detail: 'The request body could not be read as the XML this method needs.',
    close: false,
  },
  body_too_large: { status: 413, detail: 'The request body is larger than this method allows.', close: true },
  unauthenticated: { status: 401, detail: 'A valid app token is needed.', close: false },
  too_many_failures: {
    status: 429,
    detail: 'Too many wrong credentials came from here or for this user; wait before trying another.',
    close: false,
  },
  too_many_requests: {
    status: 429,
    detail: 'Too many requests with this token are under way; wait until one has ended.',
    close: false,
  },
  too_many_connections: {
    status: 429,
    detail: 'Too many connections are open from here; close some before opening another.',
    close: true,
  },
  outside_scope: { status: 403, detail: 'This token may not do that here.', close: false },
  no_route: { status: 404, detail: 'Nothing is served at this address.', close: false },
  method_refused: { status: 405, detail: 'This method is not served.', close: true },
  request_timeout: { status: 408, detail: 'The request did not arrive in time.', close: true },
  target_too_long: { status: 414, detail: 'The request target is too long.', close: true },
  expectation_failed: { status: 417, detail: 'Only Expect: 100-continue is understood.', close: true },
  misdirected: { status: 421, detail: 'The request target names another host.', close: true },
  head_too_large: { status: 431, detail: 'The request head is too large.', close: true },
};

/** Every fault of ours or the backend's, by the name that logs and metrics carry. */
export type FaultCode =
  | 'internal'
  | 'backend_refused_credentials'
  | 'backend_unreachable'
  | 'backend_reset'
  | 'backend_garbage'
  | 'backend_timeout'
  | 'store_unavailable'
  | 'sign_in_unavailable'
  | 'overloaded'
  | 'spool_full';

/** What is the same for every fault of one code. */
export interface FaultKind {
  /** RFC 9110 status, always 5xx. */
  readonly status: number;
  /** The sentence shown to the client; never holds input. */
  readonly detail: string;
}

/** The one table from fault to HTTP: always 5xx, never an allow. */
export const faults: Readonly<Record<FaultCode, FaultKind>> = {
  internal: { status: 500, detail: 'The gateway failed.' },
  backend_refused_credentials: { status: 502, detail: 'The backend refused the gateway itself.' },
  backend_unreachable: { status: 502, detail: 'The backend cannot be reached.' },
  backend_reset: { status: 502, detail: 'The backend closed the connection.' },
  backend_garbage: { status: 502, detail: 'The backend did not answer in HTTP.' },
  backend_timeout: { status: 504, detail: 'The backend did not answer in time.' },
  store_unavailable: { status: 503, detail: 'The token store cannot be asked.' },
  sign_in_unavailable: { status: 503, detail: 'Signing in is not possible just now; try again shortly.' },
  overloaded: { status: 503, detail: 'The gateway is busy; try again shortly.' },
  spool_full: { status: 507, detail: 'The upload is larger than the gateway may hold.' },
};

/** Whether this names a fault of a backend, rather than of ours, of the store, or none. */
export function isBackendFault(code: string): code is FaultCode {
  return Object.hasOwn(faults, code) && code.startsWith('backend_');
}

/**
 * Something is broken, here or behind us. Thrown, caught at the surfaces, answered 5xx.
 * Its message may reach logs and therefore never holds a secret.
 */
export class Fault extends Error {
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Fault';
    this.code = code;
  }
}
