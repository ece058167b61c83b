import { readdir, readFile } from 'node:fs/promises';
import { type Child, startChild } from '../child-process.ts';
import { eventually } from '../eventually.ts';
import { isAlive } from './is-alive.ts';
import { sendSignal } from './send-signal.ts';

/** A server of a run, which can be broken in every way. */
export interface HostProcess {
  readonly name: string;
  /** Starts it, also again; resolves once it answers. */
  start(): Promise<void>;
  /** SIGKILL to itself; resolves once nothing of it is left. */
  kill(): Promise<void>;
  /** The signal by which it ends in order; resolves once nothing of it is left. */
  stop(): Promise<void>;
  /** SIGSTOP to it and everything it has started: connections stay, nothing is answered. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): Promise<void>;
  /** Puts its wall clock off by so much; 0 sets it right. The monotonic clock goes on. */
  setClock(offMs: number): Promise<void>;
  isRunning(): boolean;
  /** All it has written, over all its starts. */
  output(): string;
}

/** What makes a server breakable. */
export interface Breakable extends Pick<HostProcess, 'name' | 'setClock' | 'output'> {
  /** Starts the program; may resolve before it answers. */
  launch(): Promise<void>;
  answers(): Promise<boolean>;
  /** Of its latest start. */
  pid(): number;
  /** Default SIGTERM. */
  readonly endSignal?: NodeJS.Signals;
}

const endMs = 60_000;
/** A busy machine takes long to start a gateway; what is broken meanwhile stays so. */
const startMs = 180_000;

/** Breaks any server by its process id. */
export function hostProcess(server: Breakable): HostProcess {
  const { name, setClock, output } = server;
  const isRunning = (): boolean => server.pid() > 0 && isAlive(server.pid());

  async function start(): Promise<void> {
    if (isRunning()) throw new Error(`${name} runs already`);
    await server.launch();
    const isUp = async (): Promise<boolean> => !isRunning() || (await server.answers());
    await eventually(`${name} to answer`, isUp, { withinMs: startMs, everyMs: 100 }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${output()}`);
      },
    );
    if (!isRunning()) throw new Error(`${name} ended: ${output()}`);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const family = await familyOf(server.pid());
    sendSignal(server.pid(), signal);
    // What a killed server had started ends by itself, once it notices.
    const isGone = (): boolean => !family.some(isAlive);
    await eventually(`all of ${name} to end by ${signal}`, isGone, { withinMs: endMs });
  }

  async function sendAll(signal: NodeJS.Signals): Promise<void> {
    for (const pid of await familyOf(server.pid())) sendSignal(pid, signal);
  }

  return {
    ...{ name, setClock, output, start, isRunning },
    kill: () => end('SIGKILL'),
    stop: () => end(server.endSignal ?? 'SIGTERM'),
    pause: () => sendAll('SIGSTOP'),
    resume: () => sendAll('SIGCONT'),
  };
}

/** A program to run on a host. */
export interface ProgramOptions extends Pick<Breakable, 'name' | 'answers'> {
  /** Program and arguments that end up with the process id that they are started with. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Puts the clock off; called with 0 before each start, when nothing has been written yet. */
  setClock(offMs: number, running: Child | null): Promise<void>;
}

/** A program of one process, not yet started. */
export function hostProgram(options: ProgramOptions): HostProcess {
  const { name, answers, env } = options;
  let child: Child | null = null;
  let written = '';
  return hostProcess({
    ...{ name, answers },
    async launch() {
      if (child !== null) written += `${child.stdout()}\n${child.stderr()}\n`;
      await options.setClock(0, null);
      const [command, ...args] = options.command;
      child = startChild({ label: name, command, args, ...(env && { env }) });
    },
    pid: () => child?.pid ?? 0,
    setClock: (offMs) => options.setClock(offMs, child),
    output: () => `${written}${child === null ? '' : `${child.stdout()}\n${child.stderr()}`}`,
  });
}

/** A process and all that descend from it. */
async function familyOf(pid: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    // The name in parentheses may hold anything.
    parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const family = [pid];
  for (const member of family) for (const [each, parent] of parents) if (parent === member) family.push(each);
  return family;
}
