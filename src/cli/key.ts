import type { Command } from 'commander';
import { type AdminKeyScope, adminKeyScopes } from '../identity/admin-key-store.ts';
import type { MadeAdminKey, ShownAdminKey } from '../management/admin-keys.ts';
import { isRefused, type ManagementRefusal } from '../management/refused.ts';
import { administer, commandActor, readKeyId } from './administration.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';
import { formatMoment, readMoment } from './moments.ts';
import { renderTable } from './table.ts';
import { addRepeatable } from './token-options.ts';

interface CreateOptions extends GlobalOptions {
  readonly scope?: readonly string[];
  readonly expires: string;
  readonly quiet?: boolean;
}

/** Adds `latchkey key …`: keys by which scripts use the management API, and servers have credentials verified. */
export function registerKey(program: Command, io: CommandIo): void {
  const key = program
    .command('key')
    .description('make, list and revoke admin keys for the management API and POST /verify');
  addCreate(key, io);
  addList(key, io);
  addRevoke(key, io);
}

function addCreate(key: Command, io: CommandIo): void {
  const command = key
    .command('create <name>')
    .description('make an admin key; its value is printed once, on stdout')
    .requiredOption('--expires <when>', '90d from now, a date (that day included), or none');
  addRepeatable(command, '--scope <scope>', 'what it is for: users, tokens, audit or verify; repeat it')
    .option('--quiet', 'print the value and nothing else')
    .action((name: string, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<CreateOptions>();
      const scopes = (options.scope ?? []).map(readKeyScope);
      const expiresAt = readMoment('--expires', options.expires, 'end', io.clock.now());
      return administer(self, io, async ({ adminKeys }) => {
        const { name: actor } = commandActor();
        printMade(io, options, granted(await adminKeys.create(actor, name, scopes, expiresAt)));
      });
    });
}

function addList(key: Command, io: CommandIo): void {
  key
    .command('list')
    .description('list admin keys, newest first')
    .action((_options: unknown, self: Command) =>
      administer(self, io, async ({ adminKeys }) => {
        const keys = await adminKeys.list();
        const now = io.clock.now();
        if (self.optsWithGlobals<GlobalOptions>().json === true) {
          const shown = keys.map((one) => keyToJson(one, now));
          io.stdout(`${JSON.stringify(shown, null, 2)}\n`);
        } else if (keys.length === 0)
          io.stderr('There are no admin keys: `latchkey key create` makes one.\n');
        else io.stdout(renderKeys(keys, now));
      }),
    );
}

function addRevoke(key: Command, io: CommandIo): void {
  key
    .command('revoke <id>')
    .description('refuse an admin key for good')
    .action((text: string, _options: unknown, self: Command) =>
      administer(self, io, async ({ adminKeys }) => {
        const revoked = granted(await adminKeys.revoke(commandActor().name, readKeyId(text)));
        if (self.optsWithGlobals<GlobalOptions>().json === true) {
          io.stdout(`${JSON.stringify(keyToJson(revoked, io.clock.now()), null, 2)}\n`);
        } else io.stderr(`Admin key ${revoked.name} is revoked.\n`);
      }),
    );
}

/** The value goes to stdout and nowhere else; what people should know goes to stderr. */
function printMade(io: CommandIo, { json, quiet }: CreateOptions, { key, value }: MadeAdminKey): void {
  if (json === true) {
    io.stdout(`${JSON.stringify({ value, ...keyToJson(key, io.clock.now()) }, null, 2)}\n`);
    return;
  }
  io.stdout(`${value}\n`);
  if (quiet === true) return;
  const end = key.expiresAt === null ? 'never expires' : `expires ${formatMoment(key.expiresAt)}`;
  io.stderr(
    `Admin key "${key.name}" for ${key.scopes.join(', ')}, id ${key.id}, ${end}.\n` +
      'Copy the value now: it is not kept and cannot be shown again.\n',
  );
}

function renderKeys(keys: readonly ShownAdminKey[], now: number): string {
  const moment = (at: number | null): string => (at === null ? 'never' : formatMoment(at));
  const rows = keys.map((key) => [
    ...[key.id, key.name, `${key.prefix}…`, stateOf(key, now), key.scopes.join(' ')],
    ...[moment(key.expiresAt), moment(key.lastUsedAt), formatMoment(key.createdAt)],
  ]);
  return renderTable(
    ['ID', 'NAME', 'BEGINS WITH', 'STATE', 'SCOPES', 'EXPIRES', 'LAST USED', 'CREATED'],
    rows,
  );
}

function keyToJson(key: ShownAdminKey, now: number): object {
  const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  const { id, name, prefix, scopes, createdBy } = key;
  return {
    ...{ id, name, prefix, state: stateOf(key, now), scopes, expiresAt: time(key.expiresAt) },
    ...{ lastUsedAt: time(key.lastUsedAt), createdAt: time(key.createdAt), createdBy },
    revokedAt: time(key.revokedAt),
  };
}

function stateOf({ revokedAt, expiresAt }: ShownAdminKey, now: number): 'active' | 'expired' | 'revoked' {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active';
}

function readKeyScope(text: string): AdminKeyScope {
  const scope = adminKeyScopes.find((known) => known === text);
  if (scope !== undefined) return scope;
  throw new CommandFailure(exitCodes.usage, '--scope of an admin key is users, tokens, audit or verify.');
}

function granted<Outcome extends object>(
  outcome: Outcome | ManagementRefusal,
): Exclude<Outcome, ManagementRefusal> {
  if (!isRefused(outcome)) return outcome as Exclude<Outcome, ManagementRefusal>;
  throw new CommandFailure(exitCodeOf.get(outcome.code) ?? exitCodes.usage, outcome.detail);
}

const exitCodeOf: ReadonlyMap<string, CommandFailure['exitCode']> = new Map([
  ['not_found', exitCodes.notFound],
  ['conflict', exitCodes.refused],
]);
