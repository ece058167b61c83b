import type { Config } from '../config/config.ts';
import { ask, type AskDeps } from '../doors/ask.ts';
import { type DoorDeps, notFound } from '../doors/door.ts';
import { openDoors } from '../doors/doors.ts';
import { answerVerify, type VerifyDeps } from '../doors/verify.ts';
import { createClientSideReader, plainAddress } from '../gateway/client-side.ts';
import type { PipelineDeps } from '../gateway/pipeline.ts';
import { ClientGone, ClientStalled, collectBody } from '../gateway/request-body.ts';
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

/** What `POST /verify` needs beyond the pipeline. */
export type Verifying = Pick<VerifyDeps, 'adminKeys' | 'tokens' | 'acceptsMainPassword'>;

/** Builds the doors' listeners, unopened. `pipeline` is asked for every question. */
export async function openDoorListeners(
  { config, clock, log, place }: Ground,
  pipeline: () => PipelineDeps,
  verifying: Verifying,
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
  const plain =
    port === null ? null : plainListener(config, answerFor(config, asking, pipeline, verifying), guarding);
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

function plainListener(
  { limits: { headMs, idleMs } }: Config,
  answer: DoorListenerDeps['answer'],
  guarding: Guarding,
): DoorListener {
  return createDoorListener({ ...guarding, headMs, idleMs, answer });
}

/** What is answered at the doors' port: `/doors/NAME` of the open ones, and `/verify`. */
function answerFor(
  { doors: { open } }: Config,
  asking: DoorDeps,
  pipeline: () => PipelineDeps,
  verifying: Verifying,
): DoorListenerDeps['answer'] {
  const find = openDoors(open, asking);
  return (request) => {
    const { method = '', url = '', rawHeaders } = request;
    const found = find(url);
    if (found !== null) return found.door.answer({ method, rest: found.rest, rawHeaders });
    const rest = restOf(url, '/verify');
    if (rest === null) return notFound;
    const { watch, ...deps } = pipeline();
    const readBody = async (bytesMax: number): Promise<string | null> => {
      try {
        const { chunks, bytes, ended } = await collectBody(request, bytesMax, null, watch);
        return ended && bytes <= bytesMax ? Buffer.concat(chunks).toString('utf8') : null;
      } catch (error) {
        if (error instanceof ClientGone || error instanceof ClientStalled) return null;
        throw error;
      }
    };
    const peerAddress = plainAddress(request.socket.remoteAddress ?? '');
    return answerVerify({ method, rest, rawHeaders, peerAddress, readBody }, { ...deps, ...verifying });
  };
}

/** What stands behind a path in a target; null where the path is another. */
function restOf(target: string, path: string): string | null {
  if (!target.startsWith(path)) return null;
  const rest = target.slice(path.length);
  return rest === '' || rest.startsWith('?') ? rest : null;
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
