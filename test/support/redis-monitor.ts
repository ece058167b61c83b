import { type Child, run, startChild } from './child-process.ts';
import type { RedisServer } from './redis-server.ts';

/** Records what one Redis is sent. */
export interface RedisMonitor {
  /**
   * Commands that connections named `latchkey` have sent so far, and those that their scripts made, in lower case; a
   * command with subcommands as `client setname`.
   */
  sent(): ReadonlySet<string>;
  stop(): Promise<void>;
}

/** Commands whose first argument says which of several it is. */
const families: ReadonlySet<string> = new Set([
  'acl',
  'client',
  'cluster',
  'command',
  'config',
  'pubsub',
  'script',
]);
const connectionName = 'latchkey';

/** Starts recording; needs a server without password. */
export async function monitorRedis(server: RedisServer): Promise<RedisMonitor> {
  const child: Child = startChild({
    label: 'redis-cli monitor',
    command: 'redis-cli',
    args: ['-p', String(server.port), 'monitor'],
  });
  await child.waitForOutput(/^OK$/m);
  return {
    sent() {
      const lines = [...child.stdout().matchAll(/^[\d.]+ \[\d+ (\S+)\] (.*)$/gm)].map(
        ([, from = '', text = '']) => ({
          from,
          words: [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => word),
        }),
      );
      const ours = new Set(
        lines.flatMap(({ from, words }) =>
          words.includes(connectionName) && words[1] === 'setname' ? [from] : [],
        ),
      );
      return new Set(
        lines.filter(({ from }) => from === 'lua' || ours.has(from)).map(({ words }) => nameOf(words)),
      );
    },
    stop: async () => void (await child.stop()),
  };
}

function nameOf([command = '', first = '']: readonly string[]): string {
  const name = command.toLowerCase();
  return families.has(name) ? `${name} ${first.toLowerCase()}` : name;
}

/** Since which version of Redis each of these commands exists, as this server documents it. */
export async function commandsSince(
  server: RedisServer,
  commands: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  const since = new Map<string, string>();
  for (const command of commands) {
    const [name = '', sub] = command.split(' ');
    const args = [
      '-p',
      String(server.port),
      '--json',
      'command',
      'docs',
      sub === undefined ? name : `${name}|${sub}`,
    ];
    const done = await run({ label: 'redis-cli', command: 'redis-cli', args });
    const docs = Object.values(JSON.parse(done.stdout) as Record<string, { readonly since: string }>)[0];
    since.set(command, docs?.since ?? 'never');
  }
  return since;
}
