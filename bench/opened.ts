import { type Closers, createClosers } from '../src/compose/closers.ts';
import { openRedis } from '../src/compose/redis.ts';
import { openStore } from '../src/compose/store.ts';
import { keepStringMethodsFast } from '../src/compose/string-methods.ts';
import { type OpenedVerification, openVerification } from '../src/compose/verification.ts';
import type { Config } from '../src/config/config.ts';
import { systemClock } from '../src/core/clock.ts';
import type { Log } from '../src/telemetry/log.ts';

/** Says what is wrong and nothing else: what is measured here writes no log. */
const log: Log = {
  debug: () => {},
  info: () => {},
  warn: (fields, message) => console.error(message, fields),
  error: (fields, message) => console.error(message, fields),
};

/** Verification as the gateway has it, without the gateway. */
export interface OpenedVerifier extends OpenedVerification {
  readonly close: () => Promise<void>;
}

/** Opens the store, Redis where the configuration names one, and the verifier over them, its memory empty. */
export async function openVerifier(config: Config): Promise<OpenedVerifier> {
  keepStringMethodsFast();
  const closers: Closers = createClosers();
  const store = await openStore(config, systemClock);
  closers.add(() => store.close());
  const redis =
    config.redis === null
      ? null
      : await openRedis(config.redis, store.tokens.realm, await store.openPeppers(), systemClock, log);
  if (redis !== null) closers.add(() => redis.close());
  const opened = await openVerification(
    { config, clock: systemClock, log, closers, place: null },
    store,
    redis,
  );
  return { ...opened, close: () => closers.closeAll() };
}
