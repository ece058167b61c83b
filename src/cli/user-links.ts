import type { Command } from 'commander';
import { sitePath } from '../core/site-path.ts';
import { localSource } from '../identity/user-store.ts';
import { administer, commandActor, requireUser } from './administration.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';

/** Adds `user link` and `user admin-link`: links that work once, within a day. */
export function addLinks(user: Command, io: CommandIo): void {
  user
    .command('link <name>')
    .description('print a link by which a user chooses a password, once, within a day')
    .action((text: string, _options: unknown, self: Command) =>
      administer(self, io, async (administration) => {
        const { id, name, source } = await requireUser(administration.users, text);
        if (source !== localSource) {
          throw new CommandFailure(
            exitCodes.refused,
            `the password of ${name} is kept at ${source}: it is changed there.`,
          );
        }
        print(io, self, 'password', await administration.issuePasswordLink(commandActor(), id));
      }),
    );
  user
    .command('admin-link')
    .description('print a link by which somebody becomes the first admin, once, within a day')
    .action((_options: unknown, self: Command) =>
      administer(self, io, async (administration) => {
        const secret = await administration.issueAdminLink(commandActor());
        if (secret !== null) return print(io, self, 'welcome', secret);
        const advice = '`latchkey user list` shows who; `latchkey user role NAME admin` makes another';
        throw new CommandFailure(exitCodes.refused, `there is an admin already: ${advice}.`);
      }),
    );
}

/** At which host it is to be opened only the person knows. */
function print(io: CommandIo, command: Command, page: 'password' | 'welcome', secret: string): void {
  const path = `${sitePath}/${page}/${secret}`;
  if (command.optsWithGlobals<GlobalOptions>().json === true) {
    io.stdout(`${JSON.stringify({ path }, null, 2)}\n`);
    return;
  }
  io.stdout(`${path}\n`);
  io.stderr('Open it at the address of the gateway. It works once, within a day.\n');
}
