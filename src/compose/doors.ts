import { ask, type AskDeps } from '../doors/ask.ts';
import { notFound } from '../doors/door.ts';
import { openDoors } from '../doors/doors.ts';
import { createClientSideReader } from '../gateway/client-side.ts';
import type { PipelineDeps } from '../gateway/pipeline.ts';
import { createDoorListener, type DoorListener } from '../server/door-listener.ts';
import type { Ground } from './ground.ts';

/** The doors' listener at the place that the configuration says. */
export interface OpenedDoors extends Pick<DoorListener, 'drain'> {
  /** Resolves to the port. Rejects with the system's error. */
  listen(): Promise<number>;
}

/** Nothing of the client's is believed: what the door says of it is. */
const believesNobody = createClientSideReader([]);

/** Builds the doors' listener, unopened; null where no port is named. `pipeline` is asked for every question. */
export function openDoorListener(
  { config, clock, log }: Ground,
  pipeline: () => PipelineDeps,
): OpenedDoors | null {
  const { host, port, trusted, open } = config.doors;
  if (port === null) return null;
  const complain = createComplaints(clock, (fields, text) => log.warn(fields, text));
  const depsOf = askDeps(pipeline);
  const find = openDoors(open, {
    ask: (asked) => ask(asked, depsOf()),
    clientSide: () => pipeline().clientSide,
    misasked: (door, problem) =>
      complain(`${door} ${problem}`, { door, problem }, 'a door was asked wrongly'),
  });
  const listener = createDoorListener({
    trusted: createClientSideReader(trusted),
    turnedAway: (address) =>
      complain('turned away', { address }, 'somebody who is not in doors.trusted knocked at the doors'),
    headMs: config.limits.headMs,
    idleMs: config.limits.idleMs,
    answer({ method = '', url = '', rawHeaders }) {
      const found = find(url);
      return found === null ? notFound : found.door.answer({ method, rest: found.rest, rawHeaders });
    },
  });
  return { listen: () => listener.listen(host, port), drain: (graceMs) => listener.drain(graceMs) };
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
