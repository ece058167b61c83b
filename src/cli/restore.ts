import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { storeName } from '../config/store-config.ts';
import { printable } from '../core/printable.ts';
import { renderSummaries } from './backup.ts';
import { requireCommandConfig } from './command-config.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';

/** Adds `latchkey restore FILE`: what `backup` wrote, into an empty store. */
export function registerRestore(program: Command, io: CommandIo): void {
  program
    .command('restore <file>')
    .description('put what `backup` wrote into an empty store, of whatever kind')
    .action((name: string, _options: unknown, self: Command) => restoreFrom(self, io, name));
}

async function restoreFrom(command: Command, io: CommandIo, name: string): Promise<void> {
  const { config } = await requireCommandConfig(command, io, 'optional');
  const file = resolve(io.cwd, name);
  if (!existsSync(file)) {
    throw new CommandFailure(
      exitCodes.notFound,
      `there is no backup ${printable(file)}: nothing was changed.`,
    );
  }
  const { restore } = await import('../compose/backup.ts');
  const outcome = await restore(config, file, io.clock);
  const place = printable(storeName(config.store));
  if (outcome.kind === 'refused') {
    const why =
      outcome.why === 'full'
        ? `is not empty (there is something in ${outcome.table})`
        : 'is an unfinished copy';
    throw new CommandFailure(
      exitCodes.refused,
      `the store ${place} ${why}: nothing was changed; name an empty store, or one that is not there yet.`,
    );
  }
  const { heading, tables, lacks } = outcome;
  const { made } = heading;
  if (command.optsWithGlobals<GlobalOptions>().json === true)
    io.stdout(`${JSON.stringify({ store: storeName(config.store), made, tables, lacks }, null, 2)}\n`);
  else io.stdout(renderSummaries(tables));
  io.stderr(
    `The store ${place} is what it was at ${made}. What was revoked, disabled or ended since works again: look through ` +
      '`latchkey token list` and `latchkey key list`.\n',
  );
  if (lacks !== null) io.stderr(`latchkey: no gateway starts on it yet: ${printable(lacks)}\n`);
}
