import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { RedisConfig } from '../../src/config/config.ts';
import { someChange } from '../contract/change-feed-contract.ts';
import { eventually } from './eventually.ts';
import { openRedis, recordingListener, type RedisParts, testRealm } from './redis-parts.ts';

/** Keys that a Cluster spreads over all of its masters. */
const keysAtOnce = 12;
const windowMs = 60_000;

/** Two gateways open this Redis and share through it what `assertRedisShared` asks for. */
export async function assertRedisWorks(config: RedisConfig): Promise<void> {
  const realm = testRealm();
  const [ours, theirs] = [await openRedis(config, realm), await openRedis(config, realm)];
  try {
    await assertRedisShared(ours, theirs);
  } finally {
    await Promise.all([ours.stop(), theirs.stop()]);
  }
}

/**
 * Cache, counts and channel work: values, failures and a change go from one gateway to the other. A command that is
 * not answered within 100 ms counts as a miss, as it is meant to: what a busy machine misses is asked again, by
 * another name, so that nothing is taken for right that a first answer had got wrong.
 */
export async function assertRedisShared(
  ours: RedisParts,
  theirs: RedisParts,
  withinMs = 20_000,
): Promise<void> {
  const inTime = async (what: string, probe: () => Promise<unknown>): Promise<void> => {
    await eventually(what, async () => ours.gate.open && theirs.gate.open && (await probe()), {
      withinMs,
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify([ours.reports, theirs.reports])}`, {
        cause: error,
      });
    });
  };
  for (let at = 0; at < keysAtOnce; at += 1) {
    await inTime('a value of one to be read by the other, and to be deleted', () =>
      isCacheShared(ours, theirs),
    );
    await inTime('failures at both to be counted together', () => isCountShared(ours, theirs));
  }
  const listener = recordingListener();
  await theirs.feed.start(listener);
  await inTime('the channel to be heard', async () => listener.calls.includes('heard'));
  const change = someChange();
  await inTime('a change to arrive', async () => {
    await ours.announcer.announce([change]);
    return listener.changes.length > 0;
  });
  assert.deepEqual(listener.changes[0], change);
}

async function isCacheShared(ours: RedisParts, theirs: RedisParts): Promise<boolean> {
  const key = randomUUID();
  await ours.cache.set(key, `value of ${key}`, windowMs);
  const found = await theirs.cache.get(key);
  if (found === null) return false;
  assert.equal(found, `value of ${key}`);
  return (await ours.cache.delete([key])) && (await theirs.cache.get(key)) === null && theirs.gate.open;
}

async function isCountShared(ours: RedisParts, theirs: RedisParts): Promise<boolean> {
  const name = randomUUID();
  const counts = [
    await ours.failures(windowMs).add(name, 'a guess'),
    await theirs.failures(windowMs).add(name, 'another'),
    await ours.failures(windowMs).add(name, 'another'),
  ];
  if (counts.includes(null)) return false;
  assert.deepEqual(
    counts.map((total) => total?.count),
    [1, 2, 2],
  );
  return true;
}
