import { join } from 'node:path';
import type { DoorName } from '../../src/config/doors-config.ts';
import type { AskingPlaces, AskingProxy } from './asking-proxy.ts';
import { endAll } from './end-all.ts';
import { freePort } from './free-port.ts';
import { type Gateway, route, type RouteText, startGateway } from './gateway.ts';
import { type RecordingBackend, startRecordingBackend } from './recording-backend.ts';
import type { Requirement } from './requirement.ts';
import { gatewayPeppers, openTokenOffice, type TokenOffice } from './token-office.ts';

/** One kind of proxy, and what can be expected of it. */
export interface AskingKind {
  readonly door: DoorName;
  readonly requirement: Requirement;
  start(places: AskingPlaces): Promise<AskingProxy>;
  /** False: of a refusal it knows 401 and 403 alone, and of a fault 500. */
  readonly relaysEveryStatus: boolean;
  /** False: nor does it tell when to come again. */
  readonly relaysRetryAfter: boolean;
  /** Lower-case names that it keeps from the door and passes on to the backend all the same; docs/doors.md tells of them. */
  readonly hides?: readonly string[];
  /** It passes Upgrade on whatever it names; without HTTP2-Settings no server goes over to HTTP/2 by it. */
  readonly passesUpgrades?: boolean;
  /** It passes on what clients say to proxies (Proxy-Authorization); docs/doors.md tells of it. */
  readonly passesProxyCredentials?: boolean;
  /** It takes off the fields that Latchkey names; false: requests with such fields are refused. */
  readonly removesFields: boolean;
  /** False: of an answer it copies who asks, and neither a login at the backend nor a Destination in its words. */
  readonly copiesForTheBackend?: false;
  /** It forwards the target that Latchkey names; false: credentials in the query are refused. */
  readonly replacesTarget: boolean;
}

/** The gateway, a backend that records, and the proxy between them. */
export interface DoorWorld {
  readonly gateway: Gateway;
  readonly backend: RecordingBackend;
  readonly proxy: AskingProxy;
  readonly office: TokenOffice;
}

const identity = { user: 'X-Remote-User', assertion: 'X-Latchkey-Assertion' };

/**
 * One takes Basic, Bearer and `?session=`, and sends identity by two headers; below `/inside/` the backend believes in an
 * address of its own, and wants a login of the gateway.
 */
const usualRoutes = (backend: string): readonly RouteText[] => [
  route({ backend, accept: ['basic', 'bearer', { query: 'session' }], identity }),
  route({
    ...{ name: 'inside', match: { path: '/inside/' }, backend, identity },
    backendOrigin: 'http://inside.example',
    backendAuth: { serviceAccount: { user: 'gateway', password: { fromEnv: 'TEST_BACKEND_PASSWORD' } } },
  }),
];
/** The password of that login. */
export const backendPassword = 'of the gateway alone';

/** Starts all three. */
export async function startDoorWorld(
  kind: Pick<AskingKind, 'door' | 'start'>,
  routes: (backend: string) => readonly RouteText[] = usualRoutes,
): Promise<DoorWorld> {
  const backend = await startRecordingBackend();
  const started: (() => Promise<unknown>)[] = [() => backend.close()];
  try {
    return await open(kind, routes, backend, started);
  } catch (error) {
    await endAll(...started.toReversed());
    throw error;
  }
}

async function open(
  kind: Pick<AskingKind, 'door' | 'start'>,
  routes: (backend: string) => readonly RouteText[],
  backend: RecordingBackend,
  started: (() => Promise<unknown>)[],
): Promise<DoorWorld> {
  const doorsPort = await freePort();
  const gateway = await startGateway({
    routes: routes(backend.url),
    env: { ...gatewayPeppers.env, TEST_BACKEND_PASSWORD: backendPassword },
    config: { ...gatewayPeppers.config, doors: { port: doorsPort, open: [kind.door] } },
  });
  started.push(() => gateway.stop());
  const office = await openTokenOffice(join(gateway.dataDir, 'latchkey.db'), null);
  started.push(() => office.close());
  const proxy = await kind.start({ doorsPort, backendPort: backend.port });
  return { gateway, backend, proxy, office };
}

/** Stops whatever of it was started. */
export async function stopDoorWorld(world: DoorWorld | undefined): Promise<void> {
  await endAll(
    () => world?.proxy.stop(),
    () => world?.office.close(),
    () => world?.gateway.stop(),
    () => world?.backend.close(),
  );
}
