import type { Command } from 'commander';
import type { Administration } from '../compose/administration.ts';
import type { TokenRecord } from '../tokens/token-store.ts';
import { administer, commandActor, readTokenId, requireUser } from './administration.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';
import { readDuration } from './moments.ts';

interface RevokeOptions extends GlobalOptions {
  readonly user?: string;
  readonly all?: boolean;
  readonly unusedFor?: string;
}

/** Adds `token revoke`: by ids, all of a user, or whatever has not been used for long. */
export function addRevoke(token: Command, io: CommandIo): void {
  token
    .command('revoke [ids...]')
    .description('refuse tokens for good')
    .option('--user <name>', "with --all or --unused-for: only this user's tokens")
    .option('--all', 'all tokens of --user')
    .option('--unused-for <time>', 'those neither used nor made for this long, such as 90d')
    .action((ids: string[], _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<RevokeOptions>();
      assertOneWay(ids, options);
      return administer(self, io, async (administration) => {
        const revoked =
          ids.length > 0
            ? await revokeNamed(administration, ids, io)
            : await revokeMany(administration, options, io.clock.now());
        report(io, options, revoked);
      });
    });
}

function assertOneWay(ids: readonly string[], { user, all, unusedFor }: RevokeOptions): void {
  const ways = [ids.length > 0, all === true, unusedFor !== undefined].filter(Boolean).length;
  const isUserRight = ids.length > 0 ? user === undefined : all !== true || user !== undefined;
  if (ways === 1 && isUserRight) return;
  throw new CommandFailure(
    exitCodes.usage,
    'name what to revoke in one way: ids, or --user NAME --all, or --unused-for 90d (with --user NAME if wanted).',
  );
}

/** Nothing is revoked where one of the ids is unknown: a typing error should not pass unnoticed. */
async function revokeNamed(
  { tokens, lifecycle }: Administration,
  texts: readonly string[],
  io: CommandIo,
): Promise<readonly TokenRecord[]> {
  const ids = [...new Set(texts.map(readTokenId))];
  for (const id of ids) {
    const owned = await tokens.get(id);
    if (owned === null)
      throw new CommandFailure(exitCodes.notFound, `there is no token ${id}; nothing was revoked.`);
    if (owned.token.revokedAt !== null) io.stderr(`Token ${id} was revoked before.\n`);
  }
  return lifecycle.revoke(commandActor(), ids, 'revoked on the command line');
}

async function revokeMany(
  { users, lifecycle }: Administration,
  options: RevokeOptions,
  now: number,
): Promise<readonly TokenRecord[]> {
  const unusedMs = options.unusedFor === undefined ? null : readDuration('--unused-for', options.unusedFor);
  if (unusedMs === null && options.all !== true) {
    throw new CommandFailure(exitCodes.usage, '--unused-for takes a time such as 90d.');
  }
  const filter = {
    ...(options.user !== undefined && { userId: (await requireUser(users, options.user)).id }),
    ...(unusedMs !== null && { unusedSince: now - unusedMs }),
  };
  const why = unusedMs === null ? 'all of the user revoked' : `unused for ${options.unusedFor ?? ''}`;
  return lifecycle.revokeAll(commandActor(), filter, why);
}

function report(io: CommandIo, options: RevokeOptions, revoked: readonly TokenRecord[]): void {
  if (options.json === true) {
    io.stdout(`${JSON.stringify({ revoked: revoked.map(({ id }) => id) }, null, 2)}\n`);
    return;
  }
  for (const { id } of revoked) io.stdout(`${id}\n`);
  io.stderr(`${revoked.length} token${revoked.length === 1 ? '' : 's'} revoked.\n`);
}
