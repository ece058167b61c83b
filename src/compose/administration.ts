import type { LoadedConfig } from '../config/load.ts';
import { type ConfigProblem, formatProblem } from '../config/problem.ts';
import type { Clock } from '../core/clock.ts';
import { Fault } from '../core/errors.ts';
import type { UserId } from '../core/ids.ts';
import { systemRandom } from '../core/random.ts';
import { issueFirstAdminLink, issueLink } from '../identity/one-time-links.ts';
import { createPasswords } from '../identity/passwords.ts';
import { createUsers, type UserActor, type Users } from '../identity/users.ts';
import { type AdminKeys, createAdminKeys } from '../management/admin-keys.ts';
import type { Log } from '../telemetry/log.ts';
import type { TokenLifecycle } from '../tokens/lifecycle.ts';
import { holdsToken } from '../tokens/mint.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { createClosers } from './closers.ts';
import { openLifecycle } from './lifecycle.ts';
import type { OpenedRedis } from './redis.ts';
import { type OpenedStore, openStore } from './store.ts';

/** Users, tokens and admin keys, for commands that change them beside a running gateway. */
export interface Administration {
  readonly tokens: TokenStore;
  readonly lifecycle: TokenLifecycle;
  readonly users: Users;
  readonly adminKeys: AdminKeys;
  /** The secret of a link by which a local user chooses a password, once, within a day. */
  issuePasswordLink(actor: UserActor, userId: UserId): Promise<string>;
  /** The secret of a link by which somebody becomes the first admin; null where there is an admin who is let in. */
  issueAdminLink(actor: UserActor): Promise<string | null>;
  /** The routes of the configuration that was given; none where it has none. */
  readonly routeNames: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens the store and, where configured, Redis to announce changes by. A Redis that is away or cannot be
 * used without a secret is told to `log` and otherwise ignored: the journal reaches every gateway. Without
 * peppers everything works that makes no token: what is lost or stolen must not keep tokens from being revoked.
 * @throws {Fault} 'store_unavailable' with a sentence that says what to do.
 */
export async function openAdministration(
  loaded: Pick<LoadedConfig, 'config' | 'missingSecrets'>,
  clock: Clock,
  log: Log,
): Promise<Administration> {
  const { config } = loaded;
  const closers = createClosers();
  try {
    const store = withoutMissing(await openStore(config, clock), loaded.missingSecrets);
    closers.add(() => store.close());
    const redis = await openAnnouncing(loaded, store, clock, log);
    if (redis !== null) closers.add(() => redis.close());
    const { lifecycle, announce } = openLifecycle(store, redis, null, clock);
    const passwords = createPasswords({
      concurrency: config.limits.passwordConcurrency,
      queueMax: config.limits.passwordQueue,
    });
    const users = createUsers({
      ...{ clock, store: store.users, passwords, randomBytes: systemRandom, announce, holdsToken },
    });
    const routeNames = config.routes.map(({ name }) => name);
    const issuing = { links: store.links, clock, randomBytes: systemRandom };
    return {
      tokens: store.tokens,
      lifecycle,
      users,
      adminKeys: createAdminKeys({ store: store.adminKeys, clock, randomBytes: systemRandom }),
      issuePasswordLink: (actor, userId) => issueLink(issuing, actor, 'set-password', userId),
      issueAdminLink: (actor) => issueFirstAdminLink({ ...issuing, store: store.users }, actor),
      routeNames,
      close: () => closers.closeAll(),
    };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

/** The same store; its peppers are refused where the configuration names some that cannot be read. */
function withoutMissing(store: OpenedStore, missingSecrets: readonly ConfigProblem[]): OpenedStore {
  const missing = missingSecrets.find(({ key }) => key.startsWith('peppers['));
  if (missing === undefined) return store;
  const refuse = (): Promise<never> =>
    Promise.reject(
      new Fault('store_unavailable', `Tokens cannot be made without the pepper: ${formatProblem(missing)}.`),
    );
  return { ...store, openPeppers: refuse, findPeppers: refuse };
}

/** Redis, or null where there is none or where what it takes is missing. */
async function openAnnouncing(
  { config, missingSecrets }: Pick<LoadedConfig, 'config' | 'missingSecrets'>,
  store: OpenedStore,
  clock: Clock,
  log: Log,
): Promise<OpenedRedis | null> {
  const missing = missingSecrets.find(({ key }) => key === 'redis' || key.startsWith('redis.'));
  try {
    if (missing !== undefined) throw new Fault('store_unavailable', formatProblem(missing));
    if (config.redis === null) return null;
    const peppers = await store.findPeppers();
    if (peppers === null) return null;
    const { openRedis } = await import('./redis.ts');
    return await openRedis(config.redis, store.tokens.realm, peppers, clock, log);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const advice =
      'Changes are not announced through Redis; gateways read them from the store within seconds';
    log.warn({}, `${advice}: ${error.message}`);
    return null;
  }
}
