import type { Command } from 'commander';
import type { Administration } from '../compose/administration.ts';
import { isShutOut } from '../identity/user-store.ts';
import type { MintedToken } from '../tokens/lifecycle.ts';
import type { TokenRefusal } from '../tokens/token-settings.ts';
import { administer, commandActor, readTokenId, requireUser } from './administration.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';
import { formatMoment, readMoment } from './moments.ts';
import { addSettingOptions, readSettings, type SettingOptions, warnOfRoutes } from './token-options.ts';
import { renderToken, renderTokens, tokenToJson } from './token-output.ts';
import { addRevoke } from './token-revoke.ts';

const pageSize = 1_000;

interface MintOptions extends GlobalOptions {
  readonly quiet?: boolean;
}

/** Adds `latchkey token …`: app tokens from birth to revocation. */
export function registerToken(program: Command, io: CommandIo): void {
  const token = program.command('token').description('make, list, change and revoke app tokens');
  addCreate(token, io);
  addList(token, io);
  addShow(token, io);
  addEdit(token, io);
  addRotate(token, io);
  addSwitch(token, io, 'enable', 'let a disabled token work again');
  addSwitch(token, io, 'disable', 'refuse a token until it is enabled again');
  addRevoke(token, io);
}

function addCreate(token: Command, io: CommandIo): void {
  const command = token.command('create').description('make a token; its value is printed once, on stdout');
  addSettingOptions(command.requiredOption('--user <name>', 'whom it speaks for'))
    .option('--quiet', 'print the value and nothing else')
    .action((_options: unknown, self: Command) => {
      const options = self.optsWithGlobals<SettingOptions & MintOptions & { readonly user: string }>();
      const settings = readSettings(options, io.clock.now());
      if (settings.name === undefined) throw new CommandFailure(exitCodes.usage, 'a token needs a --name.');
      return administer(self, io, async ({ users, lifecycle, routeNames }) => {
        const user = await requireUser(users, options.user);
        const minted = granted(
          await lifecycle.create(commandActor(), { ...user, disabled: isShutOut(user) }, settings),
        );
        warnOfRoutes(io, settings.scopes ?? [], routeNames);
        printMinted(io, options, minted, user.name);
      });
    });
}

function addList(token: Command, io: CommandIo): void {
  token
    .command('list')
    .description('list tokens, newest first')
    .option('--user <name>', "only this user's")
    .option('--all', 'revoked ones too')
    .action((_options: unknown, self: Command) =>
      administer(self, io, async ({ users, tokens }) => {
        const options = self.optsWithGlobals<
          GlobalOptions & { readonly user?: string; readonly all?: boolean }
        >();
        const filter = {
          includeRevoked: options.all === true,
          ...(options.user !== undefined && { userId: (await requireUser(users, options.user)).id }),
        };
        const found = await listAll(tokens, filter);
        const now = io.clock.now();
        if (options.json === true) {
          io.stdout(
            `${JSON.stringify(
              found.map((owned) => ownedToJson(owned, now)),
              null,
              2,
            )}\n`,
          );
        } else if (found.length > 0) io.stdout(renderTokens(found, now));
        else io.stderr('There are no tokens: `latchkey token create` makes one.\n');
      }),
    );
}

function addShow(token: Command, io: CommandIo): void {
  token
    .command('show <id>')
    .description('print everything about one token but its value')
    .action((id: string, _options: unknown, self: Command) => show(self, io, id));
}

function addEdit(token: Command, io: CommandIo): void {
  addSettingOptions(token.command('edit <id>'))
    .description('change settings of a token; none takes a limit away, a list given replaces the old one')
    .action(async (id: string, _options: unknown, self: Command) => {
      const settings = readSettings(self.optsWithGlobals<SettingOptions>(), io.clock.now());
      if (Object.keys(settings).length === 0) {
        throw new CommandFailure(
          exitCodes.usage,
          'nothing to change: give an option such as --name or --expires.',
        );
      }
      await administer(self, io, async ({ lifecycle, routeNames }) => {
        granted(await lifecycle.edit(commandActor(), readTokenId(id), settings));
        warnOfRoutes(io, settings.scopes ?? [], routeNames);
      });
      await show(self, io, id);
    });
}

function addRotate(token: Command, io: CommandIo): void {
  token
    .command('rotate <id>')
    .description('give a token a new value; the old one is dead at once, everything else stays')
    .option('--expires <when>', 'new fixed end; needed where the token has expired')
    .option('--quiet', 'print the value and nothing else')
    .action((id: string, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<MintOptions & { readonly expires?: string }>();
      const expiresAt =
        options.expires === undefined
          ? undefined
          : readMoment('--expires', options.expires, 'end', io.clock.now());
      return administer(self, io, async ({ tokens, lifecycle }) => {
        const minted = granted(await lifecycle.rotate(commandActor(), readTokenId(id), expiresAt));
        const owner = (await tokens.get(minted.token.id))?.owner.name ?? minted.token.userId;
        printMinted(io, options, minted, owner);
      });
    });
}

function addSwitch(token: Command, io: CommandIo, verb: 'enable' | 'disable', description: string): void {
  token
    .command(`${verb} <id>`)
    .description(description)
    .action(async (id: string, _options: unknown, self: Command) => {
      await administer(self, io, async ({ lifecycle }) => {
        granted(await lifecycle.setEnabled(commandActor(), readTokenId(id), verb === 'enable'));
      });
      await show(self, io, id);
    });
}

async function show(command: Command, io: CommandIo, id: string): Promise<void> {
  const owned = await administer(command, io, ({ tokens }) => tokens.get(readTokenId(id)));
  if (owned === null) throw new CommandFailure(exitCodes.notFound, `there is no token ${id}.`);
  const { json } = command.optsWithGlobals<GlobalOptions>();
  const now = io.clock.now();
  io.stdout(
    json === true ? `${JSON.stringify(ownedToJson(owned, now), null, 2)}\n` : renderToken(owned, now),
  );
}

async function listAll(
  tokens: Administration['tokens'],
  filter: Omit<Parameters<Administration['tokens']['list']>[0], 'limit' | 'after'>,
) {
  const found = [...(await tokens.list({ ...filter, limit: pageSize }))];
  for (let page = found; page.length === pageSize; found.push(...page)) {
    const last = page.at(-1);
    if (last === undefined) break;
    page = [...(await tokens.list({ ...filter, limit: pageSize, after: last.token.id }))];
  }
  return found;
}

function ownedToJson({ token, owner }: Awaited<ReturnType<typeof listAll>>[number], now: number): object {
  return tokenToJson(token, owner.name, owner.disabled, now);
}

/** The value goes to stdout and nowhere else; what people should know goes to stderr. */
function printMinted(
  io: CommandIo,
  options: MintOptions,
  { token, value }: MintedToken,
  userName: string,
): void {
  if (options.json === true) {
    io.stdout(
      `${JSON.stringify({ value, ...tokenToJson(token, userName, false, io.clock.now()) }, null, 2)}\n`,
    );
    return;
  }
  io.stdout(`${value}\n`);
  if (options.quiet === true) return;
  const end = token.expiresAt === null ? 'never expires' : `expires ${formatMoment(token.expiresAt)}`;
  io.stderr(
    `Token "${token.name}" of ${userName}, id ${token.id}, ${end}.\n` +
      'Copy the value now: it is not kept and cannot be shown again.\n',
  );
}

const exitCodeOf: Readonly<Record<TokenRefusal['code'], CommandFailure['exitCode']>> = {
  bad_name: exitCodes.usage,
  bad_scope: exitCodes.usage,
  bad_expiry: exitCodes.usage,
  bad_not_before: exitCodes.usage,
  bad_network: exitCodes.usage,
  bad_delete_unused: exitCodes.usage,
  no_token: exitCodes.notFound,
  revoked: exitCodes.refused,
  expired: exitCodes.refused,
  owner_gone: exitCodes.refused,
  policy: exitCodes.refused,
  stale: exitCodes.refused,
};

/** What an operation gave, or its refusal as the end of the command. */
function granted<Outcome extends { readonly kind: string }>(
  outcome: Outcome | TokenRefusal,
): Exclude<Outcome, TokenRefusal> {
  if (outcome.kind === 'refused') {
    const { code, detail } = outcome as TokenRefusal;
    throw new CommandFailure(exitCodeOf[code], detail);
  }
  return outcome as Exclude<Outcome, TokenRefusal>;
}
