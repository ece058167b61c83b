/** How a command ended, as the shell sees it. Part of the product's promise: numbers never change meaning. */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** Something outside failed: store, file, port, network, a missing secret. Trying again may help. */
  fault: 1,
  /** The command line or the configuration is wrong. Trying again does not help. */
  usage: 2,
  /** What the command names does not exist. */
  notFound: 3,
  /** It exists, but its state or a missing confirmation forbids the change. */
  refused: 4,
} as const;

/** One of the documented exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * Ends a command with a sentence on stderr and an exit code. The message names the thing, the place
 * and the next step, and holds no secret.
 */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
  }
}

/** The list of exit codes as `--help` prints it. */
export const exitCodeHelp: string = `Exit codes:
  0  done
  1  something outside failed: store, file, port, network, a missing secret
  2  the command line or the configuration is wrong
  3  what the command names does not exist
  4  refused: its state, or a missing confirmation, forbids the change`;
