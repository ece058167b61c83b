import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ConfigResult, LoadedConfig } from '../config/load.ts';
import { type ConfigProblem, formatProblem } from '../config/problem.ts';
import type { FlagValue } from '../config/sources.ts';
import { printable } from '../core/printable.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';

/** Options that stand for keys of the configuration. */
interface ConfigOptions extends GlobalOptions {
  readonly backend?: readonly string[];
  readonly host?: string;
  readonly port?: string;
  /** Of `serve` alone. */
  readonly adminPort?: string;
  /** Of `serve` alone. */
  readonly workers?: string;
}

/** Adds the options that stand for keys of the configuration: --backend, --host, --port. --store is global. */
export function addConfigOptions(command: Command): Command {
  return command
    .option(
      '--backend <url>',
      'where requests go; repeat it for several that serve the same data',
      (url: string, earlier: readonly string[] | undefined) => [...(earlier ?? []), url],
    )
    .option('--host <address>', 'address to listen on (default: all)')
    .option('--port <number>', 'port to listen on (default: 8080)');
}

/**
 * The configuration as this command's options, environment and file say. Every problem is a value;
 * HUP calls this again. `routes: 'optional'` is for commands that only need the store; they go on
 * without secrets, see `missingSecrets`.
 */
export async function readCommandConfig(
  command: Command,
  io: CommandIo,
  routes: 'required' | 'optional',
): Promise<ConfigResult> {
  // Loaded when it is needed: schema and YAML are most of what a command costs.
  const { loadConfig } = await import('../config/load.ts');
  const options = command.optsWithGlobals<ConfigOptions>();
  const given: readonly (readonly [string, readonly string[], FlagValue['value'] | undefined])[] = [
    ['--backend', ['backend'], options.backend],
    ['--host', ['listen', 'host'], options.host],
    ['--port', ['listen', 'port'], options.port],
    ['--admin-port', ['admin', 'port'], options.adminPort],
    ['--workers', ['workers'], options.workers],
    ['--store', ['store'], options.store],
  ];
  const flags = given.flatMap(([flag, path, value]) => (value === undefined ? [] : [{ flag, path, value }]));
  return loadConfig({
    flags,
    configFlag: options.config ?? null,
    env: io.env,
    cwd: io.cwd,
    readFile: (path) => readFileSync(path, 'utf8'),
    routesRequired: routes === 'required',
  });
}

/**
 * `readCommandConfig`, with problems as a failure that lists them all.
 * Rejects with CommandFailure, exit code 2, or 1 where only things outside of the configuration are missing.
 */
export async function requireCommandConfig(
  command: Command,
  io: CommandIo,
  routes: 'required' | 'optional',
): Promise<LoadedConfig> {
  const result = await readCommandConfig(command, io, routes);
  if (result.kind === 'loaded') return result;
  throw configFailure(result);
}

/** See `checkLateFiles`: what a start does without, and whoever asks what is wrong wants to know. */
export async function problemsOfLateFiles(loaded: LoadedConfig): Promise<readonly ConfigProblem[]> {
  const { checkLateFiles } = await import('../config/late-files.ts');
  return checkLateFiles(loaded, (path) => readFileSync(path, 'utf8'));
}

/** All problems of a configuration as one failure, for callers that keep going without it (HUP). */
export function configFailure(result: ConfigResult & { readonly kind: 'invalid' }): CommandFailure {
  const wrong = result.problems.some((problem) => problem.kind === 'config');
  const lines = result.problems.map((problem) => `  ${formatProblem(problem)}`);
  const what = result.file === null ? 'the configuration' : `the configuration (${printable(result.file)})`;
  const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`;
  return new CommandFailure(
    wrong ? exitCodes.usage : exitCodes.fault,
    `${what} has ${count}; nothing was started or changed.\n${lines.join('\n')}`,
  );
}
