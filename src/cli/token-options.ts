import type { Command } from 'commander';
import { parseScope } from '../core/scope.ts';
import type { TokenSettings } from '../tokens/token-settings.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';
import { readDuration, readMoment } from './moments.ts';

/** Settings as given on the command line. */
export interface SettingOptions extends GlobalOptions {
  readonly name?: string;
  readonly scope?: readonly string[];
  readonly expires?: string;
  readonly sliding?: string;
  readonly until?: string;
  readonly notBefore?: string;
  readonly network?: readonly string[];
  readonly deleteUnusedAfter?: string;
}

/** Adds an option that may be given several times. */
export function addRepeatable(command: Command, flags: string, description: string): Command {
  return command.option(flags, description, (value: string, earlier: readonly string[] | undefined) => [
    ...(earlier ?? []),
    value,
  ]);
}

/** Adds the options that `create` and `edit` share. */
export function addSettingOptions(command: Command): Command {
  command.option('--name <text>', 'what people recognise the token by, such as "phone"');
  addRepeatable(
    command,
    '--scope <scope>',
    "what it may do: '*', path:/folder/:r, route:NAME:rw …; repeat it",
  );
  command
    .option('--expires <when>', 'fixed end: 30d from now, or a date (that day included)')
    .option('--sliding <time>', 'ends when unused for this long, such as 7d')
    .option('--until <when>', 'absolute end of a sliding token')
    .option('--not-before <when>', 'valid only from then on');
  addRepeatable(command, '--network <cidr>', 'only from this network, such as 192.0.2.0/24; repeat it');
  return command.option('--delete-unused-after <time>', 'revoke it when unused for this long, such as 90d');
}

/**
 * The settings that were given, durations counted from `now`. What they must be is for the lifecycle to say.
 * @throws CommandFailure (usage) for what cannot be read.
 */
export function readSettings(options: SettingOptions, now: number): TokenSettings {
  const { name, scope, expires, sliding, until, notBefore, network, deleteUnusedAfter } = options;
  if (scope?.includes('') === true) throw new CommandFailure(exitCodes.usage, '--scope is empty.');
  return {
    ...(name !== undefined && { name }),
    ...(scope !== undefined && { scopes: scope }),
    ...(expires !== undefined && { expiresAt: readMoment('--expires', expires, 'end', now) }),
    ...(sliding !== undefined && { slidingMs: readDuration('--sliding', sliding) }),
    ...(until !== undefined && { until: readMoment('--until', until, 'end', now) }),
    ...(notBefore !== undefined && { notBefore: readMoment('--not-before', notBefore, 'start', now) }),
    ...(network !== undefined && { networks: network.length === 1 && network[0] === 'none' ? [] : network }),
    ...(deleteUnusedAfter !== undefined && {
      deleteUnusedMs: readDuration('--delete-unused-after', deleteUnusedAfter),
    }),
  };
}

/** Tells of scopes for routes that the configuration does not know, where it knows any: they allow nothing yet. */
export function warnOfRoutes(io: CommandIo, scopes: readonly string[], routeNames: readonly string[]): void {
  if (routeNames.length === 0) return;
  for (const text of new Set(scopes)) {
    const scope = parseScope(text);
    if (scope.kind !== 'route' || routeNames.includes(scope.route)) continue;
    const known = `its routes are ${routeNames.join(', ')}`;
    io.stderr(
      `latchkey: the configuration has no route "${scope.route}", so ${text} allows nothing: ${known}.\n`,
    );
  }
}
