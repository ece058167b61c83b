import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { printable } from '../core/printable.ts';
import type { TableSummary } from '../contents/summary.ts';
import { requireCommandConfig } from './command-config.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';
import { renderTable } from './table.ts';

/** Adds `latchkey backup FILE`: everything of a store, and the secrets beside it, in one file. */
export function registerBackup(program: Command, io: CommandIo, version: string): void {
  program
    .command('backup <file>')
    .description('write store, pepper and signing key into one new file, while gateways run')
    .action((name: string, _options: unknown, self: Command) => backUpInto(self, io, name, version));
}

async function backUpInto(command: Command, io: CommandIo, name: string, version: string): Promise<void> {
  const { config } = await requireCommandConfig(command, io, 'optional');
  const file = resolve(io.cwd, name);
  if (existsSync(file)) {
    throw new CommandFailure(
      exitCodes.refused,
      `there is ${printable(file)} already: name a file that is not there yet.`,
    );
  }
  if (config.store.kind === 'sqlite' && !existsSync(config.store.path)) {
    throw new CommandFailure(
      exitCodes.notFound,
      `there is no store at ${printable(config.store.path)}: --store or --config says where it is.`,
    );
  }
  const { backUp } = await import('../compose/backup.ts');
  const { made, tables, files } = await backUp(config, file, io.clock, version);
  if (command.optsWithGlobals<GlobalOptions>().json === true)
    io.stdout(`${JSON.stringify({ file, made, files, tables }, null, 2)}\n`);
  else io.stdout(renderSummaries(tables));
  io.stderr(`Everything in the store is in ${printable(file)}${secretsTold(config, files, tables)}\n`);
}

/** Which secrets are in the file, and which have to be kept besides. */
function secretsTold(config: Config, files: readonly string[], tables: readonly TableSummary[]): string {
  const held =
    files.length === 0
      ? '.'
      : `, and so are the secrets ${files.join(' and ')}: guard it like the data folder.`;
  const besides = [
    ...(config.peppers === null ? [] : ['`peppers`']),
    ...(config.assertionKey === null ? [] : ['`assertionKey`']),
  ];
  const kept =
    besides.length === 0
      ? ''
      : `\nNot in it is what the configuration names as ${besides.join(' and ')}: keep that too.`;
  const hasTokens = tables.some(({ table, rows }) => table === 'tokens' && rows > 0);
  const isDead = hasTokens && config.peppers === null && !files.includes('pepper');
  const warning = isDead
    ? `\nlatchkey: there is no pepper in ${printable(config.dataDir)}, without which every token is dead: was this run ` +
      'with the configuration of the gateway?'
    : '';
  return `${held}${kept}${warning}`;
}

/** Tables with their rows and the beginnings of their sums. */
export function renderSummaries(tables: readonly TableSummary[]): string {
  const rows = tables.map(({ table, rows: count, sha256 }) => [table, String(count), sha256.slice(0, 16)]);
  return renderTable(['TABLE', 'ROWS', 'SHA-256'], rows);
}
