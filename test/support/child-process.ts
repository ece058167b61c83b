import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { eventually, within } from './eventually.ts';

/** What to start and how. */
export interface ChildOptions {
  /** Named in every error. */
  readonly label: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server started by a test, stopped by its own process id and no other. */
export interface Child {
  readonly pid: number;
  /** Everything written so far. */
  stdout(): string;
  stderr(): string;
  /** True until the process has ended. */
  running(): boolean;
  readonly exited: Promise<ChildExit>;
  /** Resolves with the match once stdout or stderr holds `pattern`. */
  waitForOutput(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  /** Resolves once something accepts connections there. */
  waitForPort(port: number, withinMs?: number): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** TERM, and KILL after `killAfterMs` (default 5,000). Resolves with how it ended. */
  stop(killAfterMs?: number): Promise<ChildExit>;
}

const alive = new Set<number>();

function endWhatIsLeft(): void {
  for (const pid of alive) {
    try {
      // Not KILL: Apache then leaves its own children behind.
      process.kill(pid, 'SIGTERM');
    } catch {
      // Ended in the meantime.
    }
  }
}

/** Starts a process; whatever still runs when this process ends is told to end. */
export function startChild(options: ChildOptions): Child {
  if (!process.listeners('exit').includes(endWhatIsLeft)) process.on('exit', endWhatIsLeft);
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${options.label}: ${options.command} cannot be started`);
  alive.add(pid);

  const output = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      for (const listener of listeners) listener();
    });
  }
  let ended: ChildExit | null = null;
  const exited = once(child, 'close').then(([code, signal]): ChildExit => {
    alive.delete(pid);
    ended = { code: code as number | null, signal: signal as NodeJS.Signals | null };
    for (const listener of listeners) listener();
    return ended;
  });
  const story = (): string => `${options.label} wrote:\n${output.stdout}\n${output.stderr}`;

  return {
    pid,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    running: () => ended === null,
    exited,
    waitForOutput: (pattern, withinMs = 10_000) =>
      within(
        `${options.label} to write ${pattern}`,
        withinMs,
        new Promise<RegExpExecArray>((resolve, reject) => {
          const look = (): void => {
            const match = pattern.exec(output.stdout) ?? pattern.exec(output.stderr);
            if (match === null && ended === null) return;
            listeners.delete(look);
            if (match === null) reject(new Error(`${options.label} ended first. ${story()}`));
            else resolve(match);
          };
          listeners.add(look);
          look();
        }),
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}. ${story()}`);
      }),
    async waitForPort(port, withinMs = 10_000) {
      await eventually(`${options.label} to listen on port ${port}`, () => ended !== null || accepts(port), {
        withinMs,
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}. ${story()}`);
      });
      if (ended !== null) throw new Error(`${options.label} ended before it listened. ${story()}`);
    },
    signal(name) {
      if (ended === null) process.kill(pid, name);
    },
    async stop(killAfterMs = 5_000) {
      if (ended !== null) return ended;
      process.kill(pid, 'SIGTERM');
      const hard = setTimeout(() => {
        if (ended === null) process.kill(pid, 'SIGKILL');
      }, killAfterMs);
      try {
        return await exited;
      } finally {
        clearTimeout(hard);
      }
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** What a finished program left behind. */
export interface Finished extends ChildExit {
  readonly stdout: string;
  readonly stderr: string;
}

/** A program run to its end. */
export interface RunOptions extends ChildOptions {
  /** Written to its standard input, which is then closed. */
  readonly input?: string;
  /** Default 120,000 ms; then it is killed and the run rejects. */
  readonly withinMs?: number;
}

/** Runs a program to its end; any exit code resolves. */
export async function run(options: RunOptions): Promise<Finished> {
  const { withinMs = 120_000 } = options;
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A program that ends without reading its input is not our failure.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  try {
    const [code, signal] = (await within(options.label, withinMs, once(child, 'close'))) as [
      number | null,
      NodeJS.Signals | null,
    ];
    return { code, signal, stdout, stderr };
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${options.label} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}
