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
    readStdin: () => Promise.resolve(world.stdin ?? ''),
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
