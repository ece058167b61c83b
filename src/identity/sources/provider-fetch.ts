import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

/** Documents, keys and tokens of providers are far smaller. */
const bytesMax = 1024 * 1024;

/** One request to a provider. */
interface ProviderRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly signal?: AbortSignal;
}

/** Speaks HTTP with one provider. */
export interface ProviderFetch {
  /**
   * As `fetch`, but redirects are never followed and an answer beyond 1 MiB is an error. Rejects with the system's
   * error where the provider cannot be reached.
   */
  fetch(url: string, request: ProviderRequest): Promise<Response>;
  close(): void;
}

/** `ca`: PEM text of the authorities trusted; null: the public ones. */
export function createProviderFetch(ca: string | null): ProviderFetch {
  const agents = {
    http: new HttpAgent({ keepAlive: true }),
    https: new HttpsAgent({ keepAlive: true, minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca }) }),
  };

  function open(url: string, { method, headers, signal }: ProviderRequest) {
    const options = { method, headers, ...(signal === undefined ? {} : { signal }) };
    return url.startsWith('https:')
      ? requestHttps(url, { ...options, agent: agents.https })
      : requestHttp(url, { ...options, agent: agents.http });
  }

  return {
    fetch: (url, request) =>
      new Promise((resolve, reject) => {
        const sent = open(url, request);
        sent.on('error', reject);
        sent.on('response', (answer) => {
          toResponse(answer).then(resolve, reject);
        });
        sent.end(toText(request.body));
      }),
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

async function toResponse(answer: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bytesMax) throw new RangeError(`The provider answered with more than ${bytesMax} bytes.`);
    chunks.push(chunk);
  }
  const status = answer.statusCode ?? 500;
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  // RFC 9110 section 15: these have no body, and Response takes none.
  const isEmpty = [204, 205, 304].includes(status);
  return new Response(isEmpty ? null : Buffer.concat(chunks), { status, headers });
}

function toText(body: unknown): string | undefined {
  if (body instanceof URLSearchParams) return body.toString();
  if (typeof body === 'string') return body;
  if (body === undefined || body === null) return undefined;
  throw new TypeError('Only forms and texts are sent to providers.');
}
