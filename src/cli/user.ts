import type { Command } from 'commander';
import type { Administration } from '../compose/administration.ts';
import { localSource, type UserRecord } from '../identity/user-store.ts';
import type { UserRefusal } from '../identity/user-refusal.ts';
import type { ChangedUser } from '../identity/users.ts';
import { administer, commandActor, requireUser } from './administration.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';
import { addLinks } from './user-links.ts';
import { renderUsers, userToJson } from './user-output.ts';

const pageSize = 1_000;

interface AddOptions extends GlobalOptions {
  readonly passwordStdin?: boolean;
  readonly admin?: boolean;
  readonly displayName?: string;
  readonly mail?: string;
}

type Change = (administration: Administration, user: UserRecord) => Promise<ChangedUser | UserRefusal>;

/** Adds `latchkey user …`: whom tokens speak for. */
export function registerUser(program: Command, io: CommandIo): void {
  const user = program.command('user').description('add, list, change and remove users');
  addAdd(user, io);
  addList(user, io);
  addChange(
    user,
    io,
    'disable',
    'refuse all tokens and the password of a user',
    'disabled',
    ({ users }, { id }) => users.change(commandActor(), id, { disabled: true }),
  );
  addChange(user, io, 'enable', 'let a disabled user in again', 'enabled', ({ users }, { id }) =>
    users.change(commandActor(), id, { disabled: false }),
  );
  addRole(user, io);
  addRemove(user, io);
  addPassword(user, io);
  addLinks(user, io);
}

function addAdd(user: Command, io: CommandIo): void {
  user
    .command('add <name>')
    .description('add a user; without a password it can only be reached by tokens')
    .option('--password-stdin', 'read a password from standard input')
    .option('--admin', "may manage everybody's tokens, and users")
    .option('--display-name <text>', 'its name for people to read')
    .option('--mail <address>', 'where warnings of expiring tokens go')
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<AddOptions>();
      const password = options.passwordStdin === true ? await readPassword(io) : null;
      await administer(self, io, async ({ users }) => {
        const { admin, displayName = null, mail = null } = options;
        const details = { displayName, email: mail, role: admin === true ? 'admin' : 'user' } as const;
        report(io, options, granted(await users.add(commandActor(), name, password, details)), 'added');
      });
    });
}

function addPassword(user: Command, io: CommandIo): void {
  user
    .command('password <name>')
    .description('set the password of a user')
    .requiredOption('--password-stdin', 'read it from standard input')
    .action(async (name: string, _options: unknown, self: Command) => {
      const password = await readPassword(io);
      await administer(self, io, async ({ users }) => {
        const { id } = await requireUser(users, name);
        const changed = granted(await users.setPassword(commandActor(), id, password));
        report(io, self.optsWithGlobals<GlobalOptions>(), changed, 'given a new password');
      });
    });
}

function addChange(
  user: Command,
  io: CommandIo,
  verb: string,
  description: string,
  done: string,
  change: Change,
): void {
  user
    .command(`${verb} <name>`)
    .description(description)
    .action((name: string, _options: unknown, self: Command) =>
      administer(self, io, async (administration) => {
        const changed = granted(await change(administration, await requireUser(administration.users, name)));
        report(io, self.optsWithGlobals<GlobalOptions>(), changed, done);
      }),
    );
}

function addRole(user: Command, io: CommandIo): void {
  user
    .command('role <name> <role>')
    .description("admin: may manage everybody's tokens, and users; user: only its own tokens")
    .action((name: string, role: string, _options: unknown, self: Command) =>
      administer(self, io, async ({ users }) => {
        if (role !== 'admin' && role !== 'user') {
          throw new CommandFailure(exitCodes.usage, 'a role is admin or user.');
        }
        const { id } = await requireUser(users, name);
        const changed = granted(await users.change(commandActor(), id, { role }));
        report(
          io,
          self.optsWithGlobals<GlobalOptions>(),
          changed,
          role === 'admin' ? 'made an admin' : 'made a user',
        );
      }),
    );
}

function addRemove(user: Command, io: CommandIo): void {
  user
    .command('remove <name>')
    .description('remove a user and revoke all its tokens')
    .option('--yes', 'do not ask; needed where there is no terminal to ask at')
    .action((text: string, _options: unknown, self: Command) =>
      administer(self, io, async ({ users }) => {
        const options = self.optsWithGlobals<GlobalOptions & { readonly yes?: boolean }>();
        const { id, name } = await requireUser(users, text);
        if (options.yes !== true) await confirmRemoval(io, options, name);
        report(io, options, granted(await users.remove(commandActor(), id)), 'removed');
      }),
    );
}

/** @throws CommandFailure (refused) where nobody says yes. */
async function confirmRemoval(io: CommandIo, { input }: GlobalOptions, name: string): Promise<void> {
  const mayAsk = io.interactive && input;
  if (mayAsk && (await io.confirm(`Remove the user ${name} and revoke all its tokens for good?`))) return;
  throw new CommandFailure(
    exitCodes.refused,
    mayAsk
      ? 'nothing was removed.'
      : `removing ${name} revokes all its tokens for good: confirm it with --yes; nothing was removed.`,
  );
}

function addList(user: Command, io: CommandIo): void {
  user
    .command('list')
    .description('list users by name')
    .action((_options: unknown, self: Command) =>
      administer(self, io, async ({ users }) => {
        const found = await listAll(users);
        if (self.optsWithGlobals<GlobalOptions>().json === true) {
          io.stdout(`${JSON.stringify(found.map(userToJson), null, 2)}\n`);
        } else if (found.length === 0) io.stderr('There are no users: `latchkey user add NAME` makes one.\n');
        else io.stdout(renderUsers(found));
      }),
    );
}

async function listAll(users: Administration['users']): Promise<readonly UserRecord[]> {
  const found: UserRecord[] = [];
  for (;;) {
    const last = found.at(-1);
    const page = await users.list({ limit: pageSize, ...(last !== undefined && { after: last.id }) });
    found.push(...page);
    if (page.length < pageSize) return found;
  }
}

/** One line; its line break does not belong to the password. */
async function readPassword(io: CommandIo): Promise<string> {
  const password = (await io.readStdin()).replace(/\r?\n$/, '');
  if (password !== '' && !/[\r\n]/.test(password)) return password;
  throw new CommandFailure(
    exitCodes.usage,
    'standard input must hold the password, one line and nothing else.',
  );
}

function report(io: CommandIo, { json }: GlobalOptions, { user, changed }: ChangedUser, done: string): void {
  if (json === true) return io.stdout(`${JSON.stringify(userToJson(user), null, 2)}\n`);
  io.stderr(changed ? `User ${user.name} ${done}.\n` : `User ${user.name} was ${done} before.\n`);
  if (user.role === 'admin' && user.source === localSource && user.passwordHash === null) {
    io.stderr(
      'Without a password it cannot sign in: `latchkey user link NAME` prints where to choose one.\n',
    );
  }
  if (user.lapsed) io.stderr(`${user.source} lets it in no longer: that ends with its next sign-in there.\n`);
}

const exitCodeOf: Readonly<Record<UserRefusal['code'], CommandFailure['exitCode']>> = {
  bad_name: exitCodes.usage,
  bad_password: exitCodes.usage,
  name_taken: exitCodes.refused,
  bad_display_name: exitCodes.usage,
  bad_email: exitCodes.usage,
  no_user: exitCodes.notFound,
  elsewhere: exitCodes.refused,
  stale: exitCodes.refused,
  last_admin: exitCodes.refused,
};

function granted(outcome: ChangedUser | UserRefusal): ChangedUser {
  if (outcome.kind === 'user') return outcome;
  throw new CommandFailure(exitCodeOf[outcome.code], outcome.detail);
}
