import type { Config } from '../config/config.ts';
import { ask, type AskDeps } from '../doors/ask.ts';
import { type DoorDeps, notFound } from '../doors/door.ts';
import { openDoors } from '../doors/doors.ts';
import { createClientSideReader } from '../gateway/client-side.ts';
import type { PipelineDeps } from '../gateway/pipeline.ts';
import { createDoorListener, type DoorListener, type DoorListenerDeps } from '../server/door-listener.ts';
import { createGrpcListener, type GrpcListener } from '../server/grpc-listener.ts';
import type { Ground } from './ground.ts';

/** Where the doors listen; null: not at all. */
export interface DoorPorts {
  readonly port: number | null;
  readonly grpcPort: number | null;
}

/** The doors' listeners at the places that the configuration names. */
export interface OpenedDoors extends Pick<DoorListener, 'drain'> {
  /** Resolves to the ports. Rejects with the system's error. */
  listen(): Promise<DoorPorts>;
}

/** Nothing of the client's is believed: what the door says of it is. */
const believesNobody = createClientSideReader([]);

/** Builds the doors' listeners, unopened. `pipeline` is asked for every question. */
export async function openDoorListeners(
  { config, clock, log, place }: Ground,
  pipeline: () => PipelineDeps,
): Promise<OpenedDoors> {
  const { host, port, grpcPort } = config.doors;
  const complain = createComplaints(clock, (fields, text) => log.warn(fields, text));
  const depsOf = askDeps(pipeline);
  const asking: DoorDeps = {
    ask: (asked) => ask(asked, depsOf()),
    clientSide: () => pipeline().clientSide,
    misasked: (door, problem) =>
      complain(`${door} ${problem}`, { door, problem }, 'a door was asked wrongly'),
  };
  const guarding: Guarding = {
    trusted: createClientSideReader(config.doors.trusted),
    turnedAway: (address) =>
      complain('turned away', { address }, 'somebody who is not in doors.trusted knocked at the doors'),
  };
  const plain = port === null ? null : plainListener(config, asking, guarding);
  const grpc = grpcPort === null ? null : await grpcListener(asking, guarding);
  return {
    listen: async () => ({
      port:
        plain === null || port === null
          ? null
          : await plain.listen({ host, port, socket: place?.sockets['doors'] }),
      grpcPort:
        grpc === null || grpcPort === null
          ? null
          : await grpc.listen({ host, port: grpcPort, socket: place?.sockets['grpc'] }),
    }),
    async drain(graceMs, lingerMs) {
      await Promise.all([plain?.drain(graceMs, lingerMs), grpc?.drain(graceMs)]);
    },
  };
}

type Guarding = Pick<DoorListenerDeps, 'trusted' | 'turnedAway'>;

function plainListener({ doors, limits }: Config, asking: DoorDeps, guarding: Guarding): DoorListener {
  const find = openDoors(doors.open, asking);
  return createDoorListener({
    ...guarding,
    headMs: limits.headMs,
    idleMs: limits.idleMs,
    answer({ method = '', url = '', rawHeaders }) {
      const found = find(url);
      return found === null ? notFound : found.door.answer({ method, rest: found.rest, rawHeaders });
    },
  });
}

async function grpcListener(asking: DoorDeps, guarding: Guarding): Promise<GrpcListener> {
  // Loaded where Envoy asks so: gRPC is 10 MiB and more of code and data.
  const { createEnvoyGrpc } = await import('../doors/envoy-grpc/envoy-grpc.ts');
  const door = createEnvoyGrpc(asking);
  return createGrpcListener({
    ...guarding,
    serve: (connection) => door.serve(connection),
    close: (graceMs) => door.close(graceMs),
  });
}

/** What asking needs of the pipeline in force, made anew when a reload replaces it. */
function askDeps(pipeline: () => PipelineDeps): () => AskDeps {
  let former: PipelineDeps | null = null;
  let deps: AskDeps | null = null;
  return () => {
    const current = pipeline();
    if (deps === null || former !== current) {
      former = current;
      deps = { ...current, clientSide: believesNobody };
    }
    return deps;
  };
}

/** One line a minute about each thing: who asks wrongly does so often. */
function createComplaints(
  clock: Ground['clock'],
  write: (fields: Readonly<Record<string, string>>, text: string) => void,
): (about: string, fields: Readonly<Record<string, string>>, text: string) => void {
  const saidMs = new Map<string, number>();
  return (about, fields, text) => {
    const now = clock.monotonic();
    if (now - (saidMs.get(about) ?? Number.NEGATIVE_INFINITY) < 60_000) return;
    saidMs.set(about, now);
    write(fields, text);
  };
}
