import { Cluster, Redis } from 'ioredis';
import type { ClusterOptions, RedisOptions } from 'ioredis';
import type { RedisConfig } from '../../config/config.ts';
import { parseHostPort, parseRedisUrl } from './endpoint.ts';

/** A connection that takes commands: one server, the master a Sentinel names, or a Cluster. */
export type CommandClient = Redis | Cluster;

/**
 * Limits of every connection, milliseconds. Redis is a cache: what does not answer in
 * `commandMs` is a miss, and what has been silent for `silenceMs` is connected anew.
 */
export const patience: {
  readonly commandMs: number;
  readonly connectMs: number;
  readonly silenceMs: number;
} = {
  commandMs: 100,
  connectMs: 1_000,
  silenceMs: 2_000,
};

/** The connection options with the one reply shape that RESP2 has. */
type Options = RedisOptions & { readonly replyMapping?: 'legacy' };

const retryFirstMs = 50;
const retryMostMs = 2_000;

/** Time to wait before the nth attempt (from 1): doubling, at most 2 s, the upper half of it random. */
export function backoffMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(retryMostMs, retryFirstMs * 2 ** Math.min(attempt - 1, 10));
  return Math.round(ceiling * (0.5 + random() / 2));
}

/**
 * Builds the connection that carries commands. It does not connect by itself, reconnects for ever
 * once told to, and never queues: a command sent while it is away fails at once.
 * Throws TypeError where a node of the configuration is not an address.
 */
export function commandClient(config: RedisConfig, random: () => number): CommandClient {
  const retry = (attempt: number): number => backoffMs(attempt, random);
  if (config.mode === 'cluster') {
    return clusterClient(config, retry);
  }
  const options: Options = {
    ...singleOptions(config, 0),
    retryStrategy: retry,
    sentinelRetryStrategy: retry,
    // A demoted master keeps its connections: the next one goes to its successor.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
  return new Redis(options);
}

/**
 * Builds a connection for one subscription. It ends at the first failure instead of reconnecting, so
 * that no message can be lost without its owner noticing. In a Cluster it goes to the node that
 * `attempt` (from 0) points at: every node relays every message, and the next attempt tries the next node.
 * Throws TypeError where a node of the configuration is not an address.
 */
export function subscriberClient(config: RedisConfig, attempt: number): Redis {
  const options: Options = {
    ...singleOptions(config, attempt),
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  };
  return new Redis(options);
}

/** Disconnects for good. Resolves once that is done, or after half a second; never rejects. */
export async function closeClient(client: CommandClient): Promise<void> {
  if (client.status === 'end' || client.status === 'reconnecting') {
    client.disconnect(); // between two attempts there is nothing to end, and no event to wait for
    return;
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 500);
    client.once('end', () => {
      clearTimeout(timer);
      resolve();
    });
    client.disconnect();
  });
}

function clusterClient(config: RedisConfig, retry: (attempt: number) => number): Cluster {
  const { db: _onlyZeroExists, ...redisOptions } = commonOptions(config);
  const options: ClusterOptions & { readonly redisOptions: typeof redisOptions } = {
    redisOptions,
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retry,
    // Retrying is the caller's next request; waiting here would only delay this one.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: 10,
    maxRedirections: 4,
    slotsRefreshTimeout: patience.connectMs,
    slotsRefreshInterval: 5_000,
  };
  if (redisOptions.tls !== undefined) {
    // Certificates name hosts, so a host name must not become an address before the handshake.
    options.dnsLookup = (address, callback) => callback(null, address);
  }
  return new Cluster(config.nodes.map(parseHostPort), options);
}

function singleOptions(config: RedisConfig, attempt: number): Options {
  const common = commonOptions(config);
  if (config.mode === 'sentinel') {
    return {
      ...common,
      sentinels: config.nodes.map(parseHostPort),
      name: config.sentinelName ?? 'mymaster',
      role: 'master',
      ...(config.sentinelUsername === null ? {} : { sentinelUsername: config.sentinelUsername }),
      ...(config.sentinelPassword === null ? {} : { sentinelPassword: config.sentinelPassword }),
      sentinelCommandTimeout: patience.connectMs,
      enableReadyCheck: true, // reads the role: a Sentinel may still name a master that is none
      ...(common.tls === undefined ? {} : { sentinelTLS: common.tls, enableTLSForSentinelMode: true }),
    };
  }
  const node = config.nodes[attempt % config.nodes.length] ?? '';
  return { ...common, ...(config.mode === 'cluster' ? parseHostPort(node) : parseRedisUrl(node, config)) };
}

function commonOptions(config: RedisConfig): Options {
  return {
    // RESP2: nothing here needs 3, and an old server quotes a refused HELLO, password included.
    protocol: 2,
    lazyConnect: true,
    connectionName: 'latchkey',
    disableClientInfo: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    // A command sent again after a reconnect would be an answer, or a write, from the past.
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    commandTimeout: patience.commandMs,
    connectTimeout: patience.connectMs,
    // Also how long an ended client can hold up the end of the process.
    disconnectTimeout: 200,
    socketTimeout: patience.silenceMs,
    keepAlive: 10_000,
    db: config.database,
    ...(config.username === null ? {} : { username: config.username }),
    ...(config.password === null ? {} : { password: config.password }),
    ...(config.tls === null ? {} : { tls: config.tls.ca === null ? {} : { ca: config.tls.ca } }),
  };
}
