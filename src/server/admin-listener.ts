import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One condition of readiness. */
export interface ReadinessCheck {
  readonly name: string;
  /** Null where it holds, else a sentence without secrets. */
  problem(): Promise<string | null>;
}

/** What a condition came to. */
export interface ReadinessResult {
  readonly name: string;
  readonly problem: string | null;
}

/** Looks at all conditions. */
export function judge(checks: readonly ReadinessCheck[]): Promise<readonly ReadinessResult[]> {
  return Promise.all(checks.map(async (check) => ({ name: check.name, problem: await check.problem() })));
}

/** What the admin listener shows. */
export interface AdminListenerDeps {
  readonly readiness: readonly ReadinessCheck[];
  renderMetrics(): Promise<string>;
  /** The media type of what `renderMetrics` makes. */
  readonly metricsType: string;
  /** The public keys of assertions, as JSON. */
  jwks(): string;
}

/** Health, metrics and keys, apart from everything that backends serve. */
export interface AdminListener {
  /** Resolves to the port once it is open. Rejects with the system's error. */
  listen(host: string, port: number): Promise<number>;
  /** From now on not ready, whatever the checks say. */
  startDraining(): void;
  close(): Promise<void>;
}

/** Builds the listener; `/livez` asks nothing, `/readyz` asks the checks but never a backend. */
export function createAdminListener(deps: AdminListenerDeps): AdminListener {
  let draining = false;
  const server = createServer((req, res) => {
    void answer(req.url ?? '/', req.method ?? 'GET', res).catch(() =>
      send(res, 500, 'text/plain', 'failed\n'),
    );
  });
  const answer = async (target: string, method: string, res: ServerResponse): Promise<void> => {
    if (method !== 'GET' && method !== 'HEAD')
      return send(res, 405, 'text/plain', 'only GET is served here\n');
    const [path, query = ''] = target.split('?', 2);
    switch (path) {
      case '/livez':
        return send(res, 200, 'text/plain', 'ok\n');
      case '/readyz':
      case '/healthz':
        return ready(query.split('&').includes('verbose'), res);
      case '/metrics':
        return send(res, 200, deps.metricsType, await deps.renderMetrics());
      case '/.well-known/jwks.json':
        return send(res, 200, 'application/jwk-set+json', deps.jwks());
      default:
        return send(res, 404, 'text/plain', 'served here: /livez /readyz /metrics /.well-known/jwks.json\n');
    }
  };
  const ready = async (verbose: boolean, res: ServerResponse): Promise<void> => {
    const results = [...(await judge(deps.readiness))];
    if (draining) results.push({ name: 'draining', problem: 'the gateway is shutting down' });
    const failed = results.filter(({ problem }) => problem !== null);
    const lines = verbose ? results : failed;
    const text = lines.map(
      ({ name, problem }) =>
        `${problem === null ? 'ok  ' : 'fail'} ${name}${problem === null ? '' : `: ${problem}`}\n`,
    );
    send(res, failed.length === 0 ? 200 : 503, 'text/plain', text.join('') || 'ok\n');
  };
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port }, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    startDraining() {
      draining = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(res: ServerResponse, status: number, type: string, body: string): void {
  res.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  res.end(body);
}
