import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { systemRandom } from '../core/random.ts';
import { createPasswords } from '../identity/passwords.ts';
import { createUsers, type Users } from '../identity/users.ts';
import type { Log } from '../telemetry/log.ts';
import type { TokenLifecycle } from '../tokens/lifecycle.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { createClosers } from './closers.ts';
import { openLifecycle } from './lifecycle.ts';
import { openRedis } from './redis.ts';
import { openStore } from './store.ts';

/** Users and tokens, for commands that change them beside a running gateway. */
export interface Administration {
  readonly tokens: TokenStore;
  readonly lifecycle: TokenLifecycle;
  readonly users: Users;
  close(): Promise<void>;
}

/**
 * Opens the store and, where configured, Redis to announce changes by. A Redis that is away is
 * told to `log` and otherwise ignored: the journal reaches every gateway.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function openAdministration(config: Config, clock: Clock, log: Log): Promise<Administration> {
  const closers = createClosers();
  try {
    const store = await openStore(config, clock);
    closers.add(() => store.close());
    const redis =
      config.redis === null
        ? null
        : await openRedis(config.redis, store.tokens.realm, store.peppers, clock, log);
    if (redis !== null) closers.add(() => redis.close());
    const { lifecycle, announce } = openLifecycle(store, redis, null, clock);
    const passwords = createPasswords({
      concurrency: config.limits.passwordConcurrency,
      queueMax: config.limits.passwordQueue,
    });
    const users = createUsers({ clock, store: store.users, passwords, randomBytes: systemRandom, announce });
    return { tokens: store.tokens, lifecycle, users, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}
