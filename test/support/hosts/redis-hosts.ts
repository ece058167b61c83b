import { writeFile } from 'node:fs/promises';
import { run } from '../child-process.ts';
import { eventually } from '../eventually.ts';
import type { Scratch } from '../scratch.ts';
import { type HostProcess, hostProgram } from './host-process.ts';
import { offClock } from './off-clock.ts';
import type { Network } from './network.ts';

/** Three hosts, each with a Redis and a Sentinel; one Redis is the master at first. */
export interface RedisHosts {
  /** `redis1` … and `sentinel1` …, started. */
  readonly processes: readonly HostProcess[];
  /** The `redis` section of a gateway's configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The host whose Redis most Sentinels take for the master. */
  master(): Promise<string>;
}

/** The hosts that `startRedisHosts` needs. */
export const redisHostNames: readonly ['redis1', 'redis2', 'redis3'] = ['redis1', 'redis2', 'redis3'];
const redisPort = 6379;
const sentinelPort = 26_379;
const masterName = 'shared';

/** Starts all six, each handed to `keep` before; resolves once every Sentinel knows the two others and both replicas. */
export async function startRedisHosts(
  network: Network,
  scratch: Scratch,
  keep: (processes: readonly HostProcess[]) => void,
): Promise<RedisHosts> {
  const cli = async (host: string, port: number, ...args: readonly string[]): Promise<string> => {
    const address = ['-h', network.address(host), '-p', String(port)];
    const [command, ...rest] = network.on(host, 'redis-cli', ...address, ...args);
    return (await run({ label: 'redis-cli', command, args: rest, withinMs: 3_000 })).stdout.trim();
  };

  async function make(host: string, role: 'redis' | 'sentinel'): Promise<HostProcess> {
    const name = host.replace('redis', role);
    const port = role === 'redis' ? redisPort : sentinelPort;
    const settings = scratch.file(`${name}.conf`);
    const clock = offClock(scratch, name);
    await writeFile(settings, role === 'redis' ? serverSettings(host) : sentinelSettings(host));
    const args = role === 'redis' ? [settings] : [settings, '--sentinel'];
    return hostProgram({
      name,
      command: network.on(host, ...clock.prefix, 'redis-server', ...args),
      setClock: (offMs) => clock.set(offMs),
      answers: async () => (await cli(host, port, 'ping')) === 'PONG',
    });
  }

  const serverSettings = (host: string): string =>
    [
      `bind ${network.address(host)}`,
      `port ${redisPort}`,
      ...[
        'protected-mode no',
        `dir ${scratch.path}`,
        'save ""',
        'appendonly no',
        'repl-diskless-sync-delay 0',
      ],
      ...['repl-timeout 5', 'repl-ping-replica-period 1'],
      ...(host === redisHostNames[0] ? [] : [`replicaof ${network.address(redisHostNames[0])} ${redisPort}`]),
      '',
    ].join('\n');

  const sentinelSettings = (host: string): string =>
    [
      `bind ${network.address(host)}`,
      `port ${sentinelPort}`,
      ...['protected-mode no', `dir ${scratch.path}`],
      `sentinel monitor ${masterName} ${network.address(redisHostNames[0])} ${redisPort} 2`,
      `sentinel down-after-milliseconds ${masterName} 1500`,
      `sentinel failover-timeout ${masterName} 6000`,
      '',
    ].join('\n');

  const processes: HostProcess[] = [];
  for (const role of ['redis', 'sentinel'] as const)
    for (const host of redisHostNames) processes.push(await make(host, role));
  keep(processes);
  for (const each of processes) await each.start();
  for (const host of redisHostNames) {
    await eventually(
      'every Sentinel to know the others and the replicas',
      async () => {
        const told = await cli(host, sentinelPort, 'sentinel', 'master', masterName);
        return /num-slaves\n2\n/.test(told) && /num-other-sentinels\n2\n/.test(told);
      },
      { withinMs: 30_000, everyMs: 200 },
    );
  }
  return {
    processes,
    config: {
      mode: 'sentinel',
      nodes: redisHostNames.map((host) => `${network.address(host)}:${sentinelPort}`),
      sentinelName: masterName,
    },
    async master() {
      const votes = await Promise.all(
        redisHostNames.map((host) =>
          cli(host, sentinelPort, 'sentinel', 'get-master-addr-by-name', masterName),
        ),
      );
      const addresses = votes.map((vote) => vote.split('\n')[0]);
      const count = (host: string): number =>
        addresses.filter((each) => each === network.address(host)).length;
      return redisHostNames.toSorted((one, other) => count(other) - count(one))[0] ?? redisHostNames[0];
    },
  };
}
