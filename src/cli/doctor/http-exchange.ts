import type { TlsPair } from '../../config/listen-config.ts';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { backendPlace } from '../../config/backend-address.ts';

/** One request of the doctor to a backend. */
export interface ExchangeRequest {
  readonly method: string;
  /** The backend's address as the configuration has it. */
  readonly origin: string;
  /** Percent-encoded path. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** True: the body is sent with Transfer-Encoding: chunked. */
  readonly chunked?: boolean;
  /** PEM certificates that are trusted, or null for the public ones. */
  readonly ca: string | null;
  /** The certificate shown to it, or null. */
  readonly pair: TlsPair | null;
}

/** What came back; of a body only the first 256 KiB. */
export interface ExchangeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends one request on a connection of its own and waits at most 10 s. Rejects where no answer in HTTP comes. */
export type Exchange = (request: ExchangeRequest) => Promise<ExchangeResponse>;

const patienceMs = 10_000;
const bodyBytesMax = 256 * 1024;

/** The exchange over node:http and node:https. */
export const exchange: Exchange = (wanted) =>
  new Promise((resolve, reject) => {
    const { url, socketPath } = backendPlace(wanted.origin);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = send({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? undefined : url.port,
      socketPath: socketPath ?? undefined,
      method: wanted.method,
      path: wanted.path,
      headers: { ...wanted.headers, ...bodyHeaders(wanted), connection: 'close' },
      agent: false,
      signal: AbortSignal.timeout(patienceMs),
      ...(wanted.ca === null ? {} : { ca: wanted.ca }),
      ...(wanted.pair === null ? {} : { cert: wanted.pair.cert, key: wanted.pair.key }),
    });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const settle = (): void => {
        const body = Buffer.concat(chunks).toString('utf8');
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
      };
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes < bodyBytesMax) return;
        settle();
        outgoing.destroy();
      });
      incoming.once('error', reject);
      incoming.once('end', settle);
    });
    outgoing.end(wanted.body);
  });

function bodyHeaders({ body, chunked }: ExchangeRequest): Readonly<Record<string, string>> {
  if (body === undefined) return {};
  if (chunked) return { 'transfer-encoding': 'chunked' };
  return { 'content-length': String(Buffer.byteLength(body)) };
}

/** Why no answer came, and what to do about it. */
export function explainFailure(error: unknown): { readonly message: string; readonly advice: string } {
  const code = errorCode(error);
  if (code === 'ECONNREFUSED') {
    return {
      message: 'refuses connections',
      advice: 'start the backend, or correct its address in `backend`',
    };
  }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return { message: 'has no such socket', advice: 'start the backend, or correct the path in `backend`' };
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return {
      message: `may not be connected to (${code})`,
      advice: 'let this user read and write the socket, and search the folders above it; or ask the firewall',
    };
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return {
      message: 'has a host name that cannot be resolved',
      advice: 'correct the name in `backend`, or the DNS',
    };
  }
  if (isAlert(error, code)) {
    return {
      message: `refuses the handshake, as where it wants a certificate of the gateway (${code})`,
      advice: 'name one that it accepts in `backendTls`, or look into its log',
    };
  }
  if (/CERT|SIGN|ISSUER|ALTNAME/.test(code)) {
    return {
      message: `shows a certificate that is not trusted (${code})`,
      advice: 'name the authority that signed it with `backendCa: {fromFile: PATH}`',
    };
  }
  if (code.startsWith('HPE_') || code === 'EPROTO') {
    return {
      message: `does not answer in HTTP (${code})`,
      advice: 'correct host, port and http or https in `backend`',
    };
  }
  if (code === 'ABORT_ERR' || code === 'TimeoutError' || code === 'ETIMEDOUT') {
    return {
      message: `did not answer within ${patienceMs / 1000} s`,
      advice: 'look at the backend and the network',
    };
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return {
      message: `cuts the connection (${code})`,
      advice: 'look into its log; over https, it may want another certificate of the gateway (`backendTls`)',
    };
  }
  return { message: `cannot be asked (${code})`, advice: 'look at the backend and the network' };
}

/** Whether the other side ended a handshake and said so (RFC 8446 section 6). */
function isAlert(error: unknown, code: string): boolean {
  return code.includes('_ALERT_') || (code === 'EPROTO' && /alert number \d/.test(String(error)));
}

function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0]);
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
