import type { PepperConfig, RedisConfig } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { TokenId } from '../../src/core/ids.ts';
import { systemRandom } from '../../src/core/random.ts';
import type { UserRecord } from '../../src/identity/user-store.ts';
import { createUsers } from '../../src/identity/users.ts';
import { openSqlite } from '../../src/storage/sqlite/database.ts';
import { createSqliteTokenStore } from '../../src/storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../../src/storage/sqlite/user-store.ts';
import { createAnnounce } from '../../src/tokens/announce.ts';
import { createPeppers } from '../../src/tokens/digest.ts';
import { createTokenLifecycle, type MintedToken } from '../../src/tokens/lifecycle.ts';
import { holdsToken } from '../../src/tokens/mint.ts';
import type { TokenRefusal, TokenSettings } from '../../src/tokens/token-settings.ts';
import type { GatewayOptions } from './gateway.ts';
import { openRedis } from './redis-parts.ts';

const testPepper = 'a pepper for tests, known to everyone who reads this';

/** The peppers of every process of a test. */
export const testPeppers: readonly PepperConfig[] = [{ id: 'test', secret: testPepper }];

/** The same for a gateway: to be added to its configuration, and to its environment. */
export const gatewayPeppers: Required<Pick<GatewayOptions, 'config' | 'env'>> = {
  config: { peppers: [{ id: 'test', secret: { fromEnv: 'TEST_PEPPER' } }] },
  env: { TEST_PEPPER: testPepper },
};

/** A token as its maker sees it. */
export interface OfficeToken {
  readonly id: TokenId;
  readonly secret: string;
}

/** Where a test makes and changes tokens, as one more process beside those that verify. */
export interface TokenOffice {
  /** The user is added where there is none. For `*` and without an end, unless `settings` say otherwise. */
  mint(userName: string, settings?: TokenSettings): Promise<OfficeToken>;
  /** This and the following resolve when the change is made, as a command or an API call would return. */
  revoke(id: TokenId): Promise<void>;
  disable(id: TokenId): Promise<void>;
  /** Resolves to the new value. */
  rotate(id: TokenId): Promise<string>;
  disableUser(userName: string): Promise<void>;
  /** Milliseconds since 1970; 0 where no use has been written. */
  lastUsedAt(id: TokenId): Promise<number>;
  close(): Promise<void>;
}

const actor = { name: 'test', address: null };

/** Opens the store file, makes it where there is none, and connects to Redis where there is one. */
export async function openTokenOffice(
  storePath: string,
  redisConfig: RedisConfig | null,
): Promise<TokenOffice> {
  const [clock, randomBytes] = [systemClock, systemRandom];
  const database = await openSqlite({ path: storePath, clock, randomBytes });
  const store = createSqliteTokenStore(database);
  const peppers = createPeppers(testPeppers);
  const redis = redisConfig === null ? null : await openRedis(redisConfig, store.realm, peppers);
  const announce = createAnnounce({ freshness: null, announcers: redis === null ? [] : [redis.announcer] });
  const lifecycle = createTokenLifecycle({
    clock,
    randomBytes,
    store,
    peppers: () => Promise.resolve(peppers),
    announce,
    shared: redis?.cache ?? null,
  });
  const users = createUsers({
    ...{ clock, randomBytes, announce },
    store: createSqliteUserStore(database),
    passwords: { hash: () => Promise.reject(new Error('no user of this office has a password')) },
    holdsToken,
  });

  async function owner(name: string): Promise<UserRecord> {
    const known = await users.find(name);
    if (known !== null) return known;
    const added = await users.add(actor, name, null);
    if (added.kind === 'refused') throw new Error(added.detail);
    return added.user;
  }

  return {
    async mint(userName, settings = {}) {
      const wished = { name: 'test', scopes: ['*'], ...settings };
      const minted = await lifecycle.create(actor, await owner(userName), wished);
      const { token, value } = agreed(minted);
      return { id: token.id, secret: value };
    },
    async revoke(id) {
      const revoked = await lifecycle.revoke(actor, [id], 'a test');
      if (revoked.length !== 1) throw new Error(`${id} was not revoked`);
    },
    async disable(id) {
      agreed(await lifecycle.setEnabled(actor, id, false));
    },
    rotate: async (id) => agreed<MintedToken>(await lifecycle.rotate(actor, id)).value,
    async disableUser(userName) {
      await users.change(actor, (await owner(userName)).id, { disabled: true });
    },
    lastUsedAt: async (id) => (await store.get(id))?.token.lastUsedAt ?? 0,
    async close() {
      await redis?.stop();
      database.close();
    },
  };
}

function agreed<T>(outcome: T | TokenRefusal): T {
  if (typeof outcome === 'object' && outcome !== null && 'kind' in outcome && outcome.kind === 'refused') {
    throw new Error(`refused: ${JSON.stringify(outcome)}`);
  }
  return outcome as T;
}
