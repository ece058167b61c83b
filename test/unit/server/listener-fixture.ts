import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import type { RouteConfig } from '../../../src/config/config.ts';
import type { ListenTlsConfig } from '../../../src/config/listen-config.ts';
import { createAssertionSigner } from '../../../src/gateway/assertion.ts';
import type { BackendLimits } from '../../../src/gateway/backend-connections.ts';
import { createConcurrentRequests } from '../../../src/gateway/concurrent-requests.ts';
import type { PipelineDeps } from '../../../src/gateway/pipeline.ts';
import { createProgressWatch } from '../../../src/gateway/progress.ts';
import type { RequestRecord } from '../../../src/gateway/record.ts';
import { compileRoute } from '../../../src/gateway/route.ts';
import { createRouteTable } from '../../../src/gateway/routes.ts';
import { createSpool } from '../../../src/gateway/spool.ts';
import type { OwnPages } from '../../../src/server/own-pages.ts';
import { createPublicListener, type PublicListener } from '../../../src/server/public-listener.ts';
import type { Verification } from '../../../src/tokens/verification.ts';
import { startRecordingBackend, type RecordingBackend } from '../../support/recording-backend.ts';
import { routeConfig } from '../../support/route-config.ts';
import { readerDeps } from '../gateway/head-fixture.ts';
import { backendLimits, principal } from '../gateway/route-fixture.ts';

/** A listener on a free port in front of a backend that keeps what it is sent. */
export interface StartedListener {
  readonly port: number;
  readonly listener: PublicListener;
  readonly backend: RecordingBackend;
  readonly records: RequestRecord[];
  readonly faults: unknown[];
}

/** The Authorization that the verifier of these tests takes for alice's. */
export const authorized = 'Authorization: Bearer good';

const { privateKey } = generateKeyPairSync('ed25519');

/** Starts both; they end with the test. `verify` stands before the default verdict on `good`. */
export async function startListener(
  t: TestContext,
  options: {
    readonly route?: Partial<RouteConfig>;
    readonly headMs?: number;
    readonly keepAliveMs?: number;
    readonly idleMs?: number;
    readonly requestsPerToken?: number;
    readonly ownPages?: OwnPages;
    readonly tls?: ListenTlsConfig;
    readonly limits?: Partial<BackendLimits>;
    /** See `ConnectionLimits`; without it there are none. */
    readonly admitBeside?: () => (() => void) | null;
    /** Given: connections begin with a header of the PROXY protocol. */
    readonly isProxy?: (address: string) => boolean;
    readonly verify?: (secret: string) => Promise<Verification> | null;
  } = {},
): Promise<StartedListener> {
  const backend = await startRecordingBackend();
  const folder = await mkdtemp(path.join(tmpdir(), 'latchkey-listener-'));
  const config = routeConfig({ backend: [backend.url], ...options.route });
  const limits = { ...backendLimits, ...options.limits };
  const route = compileRoute(config, [config], limits, systemClock, () => undefined);
  const records: RequestRecord[] = [];
  const faults: unknown[] = [];
  const watch = createProgressWatch({ idleMs: options.idleMs ?? 60_000, bodyRateMin: 64 }, systemClock);
  let requests = 0;
  const deps: PipelineDeps = {
    ...readerDeps,
    hasOwnPages: () => options.ownPages !== undefined,
    routes: createRouteTable([route]),
    authorization: { routeNameAt: () => config.name, reportBytes: 1_000 },
    verifier: {
      verify: ({ secret }) =>
        options.verify?.(secret) ??
        (secret === 'good'
          ? { kind: 'verified', principal: principal(), tier: 'l1' }
          : { kind: 'refused', reason: 'unknown', tier: 'store' }),
    },
    guesses: { refused: () => 0 },
    concurrent: createConcurrentRequests(() => options.requestsPerToken ?? 64),
    assertions: await createAssertionSigner(privateKey, systemClock),
    ending: new WeakSet(),
    spans: null,
    watch,
    memory: { moved: () => undefined },
    spool: createSpool({ folder, bytesMax: 1_000_000, watch }),
    recorder: {
      begin: () => undefined,
      record: (record) => void records.push(record),
      fault: (_, error) => void faults.push(error),
    },
    nextRequestId: () => String(++requests),
  };
  const listener = createPublicListener({
    pipeline: () => deps,
    assertionKeys: () => null,
    ownPages: options.ownPages ?? null,
    connections: {
      admit: () => true,
      admitBehind: () => true,
      admitBeside: options.admitBeside ?? (() => () => undefined),
      refuseWithoutHeader: () => undefined,
    },
    isUnix: false,
    proxies: options.isProxy === undefined ? null : { isProxy: options.isProxy },
    tls: options.tls ?? null,
    handshakeFailed: () => undefined,
    headMs: options.headMs ?? 5_000,
    keepAliveMs: options.keepAliveMs ?? 5_000,
    idleMs: options.idleMs ?? 60_000,
  });
  const port = await listener.listen({ host: '127.0.0.1', port: 0 });
  t.after(async () => {
    await listener.drain(0);
    watch.stop();
    await backend.close();
    await route.backends.close();
    await rm(folder, { recursive: true });
  });
  return { port, listener, backend, records, faults };
}
