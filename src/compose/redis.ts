import { randomUUID } from 'node:crypto';
import type { RedisConfig } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Realm } from '../core/ids.ts';
import { redisAnnouncer } from '../storage/redis/change-announcer.ts';
import { RedisChangeFeed } from '../storage/redis/change-bus.ts';
import { messageCodec, messageKeys } from '../storage/redis/change-message.ts';
import { commandClient, subscriberClient } from '../storage/redis/connection.ts';
import { HealthGate } from '../storage/redis/health-gate.ts';
import { reasonOf } from '../storage/redis/reasons.ts';
import { redisSharedCache } from '../storage/redis/shared-cache.ts';
import { redisSharedFailures } from '../storage/redis/shared-failures.ts';
import type { Log } from '../telemetry/log.ts';
import type { ChangeAnnouncer, ChangeFeed } from '../tokens/change-feed.ts';
import type { Peppers } from '../tokens/digest.ts';
import type { SharedCache } from '../tokens/shared-cache.ts';
import type { SharedFailures } from '../tokens/shared-failures.ts';

/** Redis in its parts. It may be away at any time, also now. */
export interface OpenedRedis {
  readonly cache: SharedCache;
  readonly announcer: ChangeAnnouncer;
  readonly feed: ChangeFeed;
  /** Counts failures for all processes, anew after `windowMs`. */
  failures(windowMs: number): SharedFailures;
  /** Whether commands are being sent. */
  up(): boolean;
  close(): Promise<void>;
}

/** Connects, or begins to; a Redis that is away is logged, never fatal. */
export async function openRedis(
  config: RedisConfig,
  realm: Realm,
  peppers: Peppers,
  clock: Clock,
  log: Log,
): Promise<OpenedRedis> {
  const client = commandClient(config, Math.random);
  const gate = new HealthGate({
    client,
    random: Math.random,
    reasonOf: (error) => reasonOf(config, error),
    report: ({ up, reason }) => {
      if (up && reason === null) log.info({}, 'Redis answers');
      else
        log.warn(
          { reason },
          up ? 'Redis refuses some commands' : 'Redis is away: the store is asked instead',
        );
    },
  });
  const codec = messageCodec(realm, messageKeys(peppers, realm));
  const feed = new RedisChangeFeed({
    gate,
    codec,
    openSubscriber: (attempt) => subscriberClient(config, attempt),
    sender: randomUUID(),
    clock,
    random: Math.random,
    ignored: (why, count) => log.warn({ why, count }, 'a message on the Redis channel was not understood'),
    forbidden: (error) =>
      log.warn({ reason: reasonOf(config, error) }, 'hears no changes through Redis: this user may not'),
    subscribed: (up) =>
      log.info({ up }, up ? 'hears changes through Redis' : 'hears no changes through Redis'),
  });
  await gate.start();
  const announcer = redisAnnouncer(gate, codec);
  return {
    cache: redisSharedCache(gate),
    announcer,
    feed,
    failures: (windowMs) => redisSharedFailures(gate, client, windowMs),
    up: () => gate.open,
    async close() {
      await announcer.flush();
      await gate.stop();
    },
  };
}
