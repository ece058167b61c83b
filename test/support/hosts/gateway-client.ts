import { Agent, request } from 'node:http';

/** A gateway as clients know it. */
export interface GatewayAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  /** Runs `latchkey` on that host; arguments and configuration come behind it. */
  readonly command: readonly string[];
  readonly configFile: string;
}

/** One HTTP request. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly withinMs?: number;
}

/** What came back. */
export interface Answered {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: string;
}

/** Longer than the product may take for anything but while it does not run. */
const patienceMs = 8_000;

/** Sends requests over kept connections; null where no whole answer came in time. Never rejects. */
export function createGatewayClient(host: string, port: number): (asked: Asked) => Promise<Answered | null> {
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: 5_000 });
  return ({ method, path, headers = {}, body, withinMs = patienceMs }) =>
    new Promise((resolve) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const framing = method === 'GET' ? {} : { 'content-length': String(Buffer.byteLength(text)) };
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(withinMs);
      const sent = request(
        { host, port, agent, method, path, signal, headers: { ...headers, ...framing, ...type } },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.once('error', () => resolve(null));
          answer.once('close', () => resolve(null));
          answer.once('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              etag: answer.headers.etag,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      sent.once('error', () => resolve(null));
      sent.end(text);
    });
}
