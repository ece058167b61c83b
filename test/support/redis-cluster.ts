import { run } from './child-process.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { startRedis } from './redis-server.ts';
import type { RedisServer } from './redis-server.ts';

/** Three masters that share all slots. */
export interface RedisCluster {
  /** The masters at first. */
  readonly nodes: readonly [RedisServer, RedisServer, RedisServer];
  /** One for each master, not in their order; none unless asked for. */
  readonly replicas: readonly RedisServer[];
  stop(): Promise<void>;
}

/** How a test wants its Cluster. */
export interface RedisClusterOptions {
  /** A replica for each master, which takes its place a few seconds after it has gone. */
  readonly replicas?: boolean;
}

/** Starts a Redis Cluster of three masters; resolves once every node says it is whole. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  // A node that does not answer so long is taken for dead, also where the machine is only busy.
  const timeoutMs = options.replicas === true ? 2_000 : 10_000;
  const start = async (): Promise<RedisServer> => {
    const ports = [`cluster-node-timeout ${timeoutMs}`, `cluster-port ${await freePort()}`];
    return startRedis({ settings: ['cluster-enabled yes', 'repl-diskless-sync-delay 0', ...ports] });
  };
  const nodes = [await start(), await start(), await start()] as const;
  const replicas = options.replicas === true ? [await start(), await start(), await start()] : [];
  const addresses = [...nodes, ...replicas].map((node) => `127.0.0.1:${node.port}`);
  const made = await run({
    label: 'redis-cli --cluster create',
    command: 'redis-cli',
    args: [
      ...['--cluster', 'create', ...addresses, '--cluster-yes'],
      ...(replicas.length > 0 ? ['--cluster-replicas', '1'] : []),
    ],
  });
  if (made.code !== 0) throw new Error(`redis-cli --cluster create: ${made.stdout}${made.stderr}`);
  for (const node of [...nodes, ...replicas]) {
    await eventually('the cluster to be whole', async () =>
      (await node.cli('cluster', 'info')).includes('cluster_state:ok'),
    );
  }
  for (const replica of replicas) {
    await eventually('a replica to follow', async () =>
      (await replica.cli('info', 'replication')).includes('master_link_status:up'),
    );
  }
  return {
    nodes,
    replicas,
    async stop() {
      await Promise.all([...nodes, ...replicas].map((node) => node.stop()));
    },
  };
}

/** A master, a replica of it, and one Sentinel that suffices to replace the master. */
export interface RedisSentinel {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinel: RedisServer;
  /** What the Sentinel calls the master. */
  readonly name: string;
  stop(): Promise<void>;
}

/** What the two kinds of server ask of their clients; default: nothing. */
export interface SentinelPasswords {
  readonly master?: string;
  readonly sentinel?: string;
}

/** Starts a watched pair; resolves once the replica follows and the Sentinel knows it. */
export async function startRedisSentinel(passwords: SentinelPasswords = {}): Promise<RedisSentinel> {
  const name = 'test-master';
  const asked = passwords.master === undefined ? {} : { password: passwords.master };
  const asks = (setting: string): readonly string[] =>
    passwords.master === undefined ? [] : [`${setting} ${passwords.master}`];
  const master = await startRedis({
    ...asked,
    settings: ['repl-diskless-sync-delay 0', ...asks('masterauth')],
  });
  const replica = await startRedis({
    ...asked,
    settings: [`replicaof 127.0.0.1 ${master.port}`, ...asks('masterauth')],
  });
  await eventually('the replica to follow', async () =>
    (await replica.cli('info', 'replication')).includes('master_link_status:up'),
  );
  const sentinel = await startRedis({
    sentinel: true,
    ...(passwords.sentinel === undefined ? {} : { password: passwords.sentinel }),
    settings: [
      `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
      ...asks(`sentinel auth-pass ${name}`),
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 2000`,
    ],
  });
  await eventually(
    'the Sentinel to know the replica',
    async () => (await sentinel.cli('sentinel', 'replicas', name)).includes(String(replica.port)),
    { withinMs: 15_000 },
  );
  return {
    name,
    master,
    replica,
    sentinel,
    async stop() {
      await Promise.all([sentinel, replica, master].map((server) => server.stop()));
    },
  };
}
