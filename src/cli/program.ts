import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { Fault } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { registerBackup } from './backup.ts';
import { registerConfig } from './config.ts';
import { registerDoctor } from './doctor.ts';
import { guardedIo } from './guarded-io.ts';
import { registerKey } from './key.ts';
import { registerRestore } from './restore.ts';
import { registerServe } from './serve.ts';
import { registerStore } from './store.ts';
import { registerToken } from './token.ts';
import { registerUser } from './user.ts';
import { registerVerify } from './verify.ts';
import { CommandFailure, exitCodeHelp, exitCodes, type ExitCode } from './exit-codes.ts';

/** This product's version, from its package.json. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

/**
 * The whole command line. Each command file exports `registerXxx(program, io)`, which adds its
 * command and an action; actions throw `CommandFailure` and read `command.optsWithGlobals()`.
 */
export function buildProgram(world: CommandIo): Command {
  const io = askingOnlyIfAllowed(world, () => program.opts<GlobalOptions>().input);
  const program: Command = new Command('latchkey')
    .description(
      'App tokens in front of WebDAV, CalDAV/CardDAV and REST servers that know nothing of tokens.',
    )
    .version(readVersion(), '-V, --version', 'print the version')
    .option(
      '-c, --config <file>',
      'configuration file (else LATCHKEY_CONFIG, else ./latchkey.yaml if it exists)',
    )
    .option('--store <url>', 'where tokens are kept, such as sqlite:./data/latchkey.db')
    .option('--json', 'print data as JSON')
    .option('--no-input', 'never ask at the terminal; fail instead')
    .helpOption('-h, --help', 'print help')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout(text),
      writeErr: (text) => io.stderr(text),
      outputError: (text, write) => write(text.replace(/^error:/, 'latchkey:')),
    })
    .showHelpAfterError('With --help instead, the command says what it takes.')
    .addHelpText('after', `\n${exitCodeHelp}`)
    .exitOverride();
  registerServe(program, io, readVersion());
  registerUser(program, io);
  registerToken(program, io);
  registerKey(program, io);
  registerVerify(program, io);
  registerStore(program, io);
  registerBackup(program, io, readVersion());
  registerRestore(program, io);
  registerConfig(program, io);
  registerDoctor(program, io, {
    sqlite: async (store) => (await probes()).probeSqlite(store),
    postgres: async (config) => (await probes()).probePostgres(config, io.clock),
    peppers: async (config) => (await probes()).probePeppers(config, io.clock),
    redis: async (config) => (await probes()).probeRedis(config, io.clock),
  });
  return program;
}

/** What a command needs beyond its options it loads when it runs, so that others do not pay for it. */
const probes = (): Promise<typeof import('../compose/storage-probes.ts')> =>
  import('../compose/storage-probes.ts');

/** Keeps --no-input for every command at once. */
function askingOnlyIfAllowed(io: CommandIo, allowed: () => boolean): CommandIo {
  return {
    ...io,
    readStdin: () => {
      if (!io.interactive || allowed()) return io.readStdin();
      throw new CommandFailure(
        exitCodes.usage,
        'standard input is a terminal and --no-input forbids to ask there.',
      );
    },
  };
}

/**
 * Runs one command line (without node and script name) and resolves to its exit code, or null where
 * the command set one itself through `io`. Never rejects.
 */
export async function runProgram(argv: readonly string[], world: CommandIo): Promise<ExitCode | null> {
  const io = guardedIo(world);
  try {
    await buildProgram(io).parseAsync([...argv], { from: 'user' });
    return null;
  } catch (error) {
    return report(error, io);
  }
}

/** Commander has already printed its own errors; ours are one sentence, bugs come with their stack. */
function report(error: unknown, io: CommandIo): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof CommandFailure) {
    io.stderr(`latchkey: ${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof Fault) {
    io.stderr(`latchkey: ${printable(error.message)}\n`);
    return exitCodes.fault;
  }
  io.stderr(`latchkey: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return exitCodes.fault;
}
