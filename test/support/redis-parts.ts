import { randomUUID } from 'node:crypto';
import type { RedisConfig } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Change } from '../../src/core/change.ts';
import type { Realm } from '../../src/core/ids.ts';
import { type RedisAnnouncer, redisAnnouncer } from '../../src/storage/redis/change-announcer.ts';
import { RedisChangeFeed } from '../../src/storage/redis/change-bus.ts';
import { messageCodec, messageKeys } from '../../src/storage/redis/change-message.ts';
import type { MessageCodec, MessageKeys } from '../../src/storage/redis/change-message.ts';
import { commandClient, subscriberClient } from '../../src/storage/redis/connection.ts';
import { HealthGate } from '../../src/storage/redis/health-gate.ts';
import type { RedisHealth } from '../../src/storage/redis/health-gate.ts';
import { reasonOf } from '../../src/storage/redis/reasons.ts';
import { redisSharedCache } from '../../src/storage/redis/shared-cache.ts';
import { redisSharedFailures } from '../../src/storage/redis/shared-failures.ts';
import type { Peppers } from '../../src/tokens/digest.ts';
import type { ChangeListener } from '../../src/tokens/change-feed.ts';
import type { SharedCache } from '../../src/tokens/shared-cache.ts';
import type { SharedFailures } from '../../src/tokens/shared-failures.ts';

/** One gateway's share of Redis, wired by hand. */
export interface RedisParts {
  readonly realm: Realm;
  readonly gate: HealthGate;
  readonly cache: SharedCache;
  readonly announcer: RedisAnnouncer;
  failures(windowMs: number): SharedFailures;
  readonly feed: RedisChangeFeed;
  readonly codec: MessageCodec;
  /** Everything the gate reported. */
  readonly reports: readonly RedisHealth[];
  /** Messages not understood, by why. */
  readonly ignored: readonly string[];
  /** Why nothing could be subscribed to. */
  readonly forbidden: readonly string[];
  stop(): Promise<void>;
}

/** A realm of one test's own. */
export function testRealm(): Realm {
  return randomUUID() as Realm;
}

/** Keys that all gateways of a test share. */
export const testKeys: MessageKeys = [new Uint8Array(32).fill(7)];

/** Wires and connects one gateway's Redis. */
export async function openRedis(
  config: RedisConfig,
  realm: Realm = testRealm(),
  keys: MessageKeys | Peppers = testKeys,
): Promise<RedisParts> {
  const reports: RedisHealth[] = [];
  const ignored: string[] = [];
  const forbidden: string[] = [];
  const client = commandClient(config, Math.random);
  const gate = new HealthGate({
    client,
    random: Math.random,
    reasonOf: (error) => reasonOf(config, error),
    report: (health) => reports.push(health),
  });
  const codec = messageCodec(realm, 'ids' in keys ? messageKeys(keys, realm) : keys);
  const feed = new RedisChangeFeed({
    gate,
    codec,
    openSubscriber: (attempt) => subscriberClient(config, attempt),
    sender: randomUUID(),
    clock: systemClock,
    random: Math.random,
    ignored: (why) => ignored.push(why),
    forbidden: (error) => forbidden.push(reasonOf(config, error)),
    subscribed: () => undefined,
  });
  await gate.start();
  return {
    realm,
    gate,
    cache: redisSharedCache(gate),
    failures: (windowMs) => redisSharedFailures(gate, client, windowMs),
    announcer: redisAnnouncer(gate, codec),
    feed,
    codec,
    reports,
    ignored,
    forbidden,
    async stop() {
      await feed.stop();
      await gate.stop();
    },
  };
}

/** A listener that keeps what it was told. */
export interface RecordingListener extends ChangeListener {
  readonly changes: readonly Change[];
  /** 'changed', 'heard' and 'gap' in the order of their calls. */
  readonly calls: readonly string[];
}

/** Makes a listener that keeps what it was told. */
export function recordingListener(): RecordingListener {
  const changes: Change[] = [];
  const calls: string[] = [];
  return {
    changes,
    calls,
    changed(more) {
      changes.push(...more);
      calls.push('changed');
    },
    heard: () => void calls.push('heard'),
    gap: () => void calls.push('gap'),
  };
}
