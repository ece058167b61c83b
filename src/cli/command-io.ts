import type { Writable } from 'node:stream';
import type { Clock } from '../core/clock.ts';
import type { ExitCode } from './exit-codes.ts';

/**
 * Everything a command touches of the world outside: tests hand in their own.
 * Commands fail by throwing `CommandFailure` (exit-codes.ts).
 */
export interface CommandIo {
  /** Data only: what a pipe behind the command should read. No newline is added. */
  stdout(text: string): void;
  /** Everything else: progress, advice, problems. No newline is added. */
  stderr(text: string): void;
  /** Standard output for a log: from then on its errors are for whoever writes to it, and end no process. */
  logStream(): Writable;
  /**
   * All of standard input as UTF-8, '' where there is none. At a terminal: one line, typed without echo.
   * Rejects with `CommandFailure` where the person there gives up, or `--no-input` forbids to ask.
   */
  readStdin(): Promise<string>;
  /** Asks at the terminal, where there is one (`interactive`); anything but yes, also no answer, is false. */
  confirm(question: string): Promise<boolean>;
  /** True where standard input is a terminal. */
  readonly interactive: boolean;
  /** True where stdout is a terminal and NO_COLOR is not set. */
  readonly color: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  /** For commands that report and end normally with a code other than 0. */
  setExitCode(code: ExitCode): void;
}

/** Options that every command understands, before or after its name. */
export interface GlobalOptions {
  /** Path of the configuration file, as given. */
  readonly config?: string;
  /** Store URL, as given. */
  readonly store?: string;
  /** Print data as JSON. */
  readonly json?: boolean;
  /** False after --no-input: never ask, fail instead. */
  readonly input: boolean;
}
