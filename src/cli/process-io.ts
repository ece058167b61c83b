import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { systemClock } from '../core/clock.ts';
import type { CommandIo } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';

/** The real world: this process's streams, environment and clocks. */
export function processIo(): CommandIo {
  process.stdout.on('error', endWithoutStdout);
  // What nobody can be told is no reason to end.
  process.stderr.on('error', () => undefined);
  return {
    stdout: (data) => void process.stdout.write(data),
    stderr: (data) => void process.stderr.write(data),
    logStream: () => process.stdout.off('error', endWithoutStdout),
    readStdin: () => (process.stdin.isTTY ? readSilently() : text(process.stdin)),
    confirm: askAtTerminal,
    interactive: process.stdin.isTTY === true,
    color: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
}

/** `latchkey token list | head -1` closes our stdout: that is the reader's right, not an error. A full disk is. */
function endWithoutStdout(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(
    `latchkey: standard output cannot be written (${error.code ?? error.message}): its data is lost, a token's value ` +
      'too, while what the command did stays done. Make room, look with `list`, and `rotate` such a token.\n',
  );
  process.exit(exitCodes.fault);
}

/** What is read from standard input is secret, so a person who types it must not see it on the screen. */
function readSilently(): Promise<string> {
  // readline echoes to its output, so it gets one that swallows everything.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write('Secret: ');
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      reject(new CommandFailure(exitCodes.refused, 'Interrupted; nothing was changed.'));
      lines.close();
    });
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => {
      process.stderr.write('\n');
      reject(new CommandFailure(exitCodes.refused, 'No answer; nothing was changed.'));
    });
  });
}

function askAtTerminal(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    let isAnswered = false;
    lines.question(`${question} [y/N] `, (answer) => {
      isAnswered = true;
      resolve(/^y(es)?$/i.test(answer.trim()));
      lines.close();
    });
    // Ctrl-C and Ctrl-D close it, and leave the cursor behind the question.
    lines.once('close', () => {
      if (!isAnswered) process.stderr.write('\n');
      resolve(false);
    });
  });
}
