import { runProgram } from '../../src/cli/program.ts';
import type { CommandIo } from '../../src/cli/command-io.ts';
import { systemClock } from '../../src/core/clock.ts';

/** What one command did. */
export interface CommandOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The world of one command; what is left out is empty. */
export interface CommandWorld {
  readonly cwd: string;
  readonly env?: CommandIo['env'];
  readonly stdin?: string;
  /** Default: false. */
  readonly interactive?: boolean;
  /** What a person at the terminal answers; questions where there is no terminal are mistakes. */
  readonly confirms?: boolean;
  readonly clock?: CommandIo['clock'];
}

/** Runs one command line in this process, in a world of its own. */
export async function runCommand(argv: readonly string[], world: CommandWorld): Promise<CommandOutcome> {
  let stdout = '';
  let stderr = '';
  let exitCode = 0;
  const ended = await runProgram(argv, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    logStream: () => process.stdout,
    readStdin: () => Promise.resolve(world.stdin ?? ''),
    confirm: async () => {
      if (world.interactive === true && world.confirms !== undefined) return world.confirms;
      throw new Error('nobody is there to be asked');
    },
    interactive: world.interactive ?? false,
    color: false,
    env: world.env ?? {},
    cwd: world.cwd,
    clock: world.clock ?? systemClock,
    setExitCode: (code) => {
      exitCode = code;
    },
  });
  return { exitCode: ended ?? exitCode, stdout, stderr };
}
