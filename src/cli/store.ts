import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { StoreConfig } from '../config/store-config.ts';
import type { CopyOutcome } from '../contents/copy.ts';
import { configFailure } from './command-config.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';
import { renderTable } from './table.ts';

/** Adds `latchkey store …`: what is done with a whole store. */
export function registerStore(program: Command, io: CommandIo): void {
  program
    .command('store')
    .description('move everything from one store into another')
    .command('copy <from> <to>')
    .description('copy everything from one store into an empty one, of the same kind or the other')
    .addHelpText(
      'after',
      '\nEach is the URL of a store, or a configuration file that says where it is. No gateway may run on either. ' +
        'A copy that was interrupted goes on where it stopped when the same command is given again.\n',
    )
    .action((from: string, to: string, _options: unknown, self: Command) => copy(self, io, from, to));
}

async function copy(command: Command, io: CommandIo, from: string, to: string): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  if (options.store !== undefined || options.config !== undefined) {
    throw new CommandFailure(
      exitCodes.usage,
      'name both stores as FROM and TO, each by its URL or its configuration file, without --store and --config.',
    );
  }
  const [source, destination] = [await namedStore(io, 'FROM', from), await namedStore(io, 'TO', to)];
  if (source.kind === 'sqlite' && !existsSync(source.path)) {
    throw new CommandFailure(exitCodes.notFound, `there is no store at ${source.path}: nothing was copied.`);
  }
  const { storeContents } = await import('../compose/store-contents.ts');
  const { copyContents } = await import('../contents/copy.ts');
  const [one, other] = [await storeContents(source, io.clock), await storeContents(destination, io.clock)];
  if (one.place === other.place) {
    throw new CommandFailure(
      exitCodes.usage,
      `FROM and TO are the same store, ${one.place}: nothing was copied.`,
    );
  }
  const outcome = await copyContents(one, other);
  report(io, options, { from: one.place, to: other.place }, outcome);
}

/**
 * The store of a URL or of a configuration file; nothing else of the configuration counts. A URL is not repeated: there
 * may be a password in it.
 */
async function namedStore(io: CommandIo, which: 'FROM' | 'TO', name: string): Promise<StoreConfig> {
  const { loadConfig } = await import('../config/load.ts');
  const isUrl = /^[a-z0-9+.-]+:\/\/|^(?:sqlite|postgres|postgresql):/i.test(name);
  // A variable would give both stores the same place.
  const env = Object.fromEntries(Object.entries(io.env).filter(([key]) => !key.startsWith('LATCHKEY_')));
  const result = loadConfig({
    flags: isUrl ? [{ flag: which, path: ['store'], value: name }] : [],
    configFlag: isUrl ? null : name,
    env,
    cwd: io.cwd,
    readFile: (path) => (isUrl ? noFile() : readFileSync(path, 'utf8')),
    routesRequired: false,
  });
  if (result.kind === 'invalid') throw configFailure(result);
  return result.config.store;
}

function noFile(): never {
  throw Object.assign(new Error('no configuration file is read'), { code: 'ENOENT' });
}

interface Places {
  readonly from: string;
  readonly to: string;
}

function report(io: CommandIo, { json }: GlobalOptions, places: Places, outcome: CopyOutcome): void {
  if (outcome.kind === 'refused') throw refusal(places, outcome);
  const rows = outcome.tables.map(({ from, to }) => ({
    table: from.table,
    from: { rows: from.rows, sha256: from.sha256 },
    to: { rows: to.rows, sha256: to.sha256 },
  }));
  if (json === true) {
    const same = outcome.kind === 'copied';
    io.stdout(`${JSON.stringify({ ...places, same, tables: rows }, null, 2)}\n`);
  } else {
    const cells = rows.map(({ table, from, to }) => [
      ...[table, String(from.rows), String(to.rows)],
      ...[from.sha256.slice(0, 16), to.sha256.slice(0, 16)],
    ]);
    io.stdout(renderTable(['TABLE', 'ROWS', 'COPIED', 'SHA-256', 'COPIED'], cells));
  }
  if (outcome.kind === 'source-changed') {
    throw new CommandFailure(
      exitCodes.refused,
      `${places.from} changed while it was copied, and ${places.to} is not the same: stop every gateway that runs on ` +
        'either, and give the same command again. Until then nothing opens the copy.',
    );
  }
  io.stderr(told(places, outcome));
}

function told(places: Places, { start }: CopyOutcome & { readonly kind: 'copied' }): string {
  const { from, to } = places;
  const how = {
    new: `Copied everything from ${from} to ${to}`,
    continued: `Went on with the unfinished copy of ${from} in ${to}`,
    anew: `Copied everything from ${from} to ${to} anew, as it had changed since that copy was begun`,
    already: `Everything from ${from} was in ${to} already`,
  }[start];
  return (
    `${how}; both hold the same.\n` +
    'Peppers and signing key are no part of a store: gateways on the copy need the same `peppers` and `assertionKey`, ' +
    'or the files pepper and assertion-key.pem of the same data folder. No gateway may go on with the old store.\n'
  );
}

function refusal({ from, to }: Places, outcome: CopyOutcome & { readonly kind: 'refused' }): CommandFailure {
  if (outcome.why === 'full') {
    return new CommandFailure(
      exitCodes.refused,
      `${to} is not empty (there is something in ${outcome.table}): nothing was changed; name an empty store, or one ` +
        'that is not there yet.',
    );
  }
  return new CommandFailure(
    exitCodes.refused,
    `${to} is the unfinished copy of another store than ${from}: nothing was changed; finish that copy first, or name ` +
      'an empty store.',
  );
}
