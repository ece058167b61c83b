import { randomBytes } from 'node:crypto';
import { type OpenedStore, openStore } from '../src/compose/store.ts';
import type { Config } from '../src/config/config.ts';
import { storeName } from '../src/config/store-config.ts';
import { systemClock } from '../src/core/clock.ts';
import type { PepperId, TokenDigest, TokenId, UserId } from '../src/core/ids.ts';
import { systemRandom } from '../src/core/random.ts';
import { foldUserName } from '../src/core/user-name.ts';
import { uuidV7 } from '../src/core/uuid.ts';
import { createSessions } from '../src/identity/sessions.ts';
import { localSource, type UserRecord } from '../src/identity/user-store.ts';
import { createAdminKeys } from '../src/management/admin-keys.ts';
import { isRefused } from '../src/management/refused.ts';
import { connect } from '../src/storage/sqlite/database.ts';
import { insertTokenSql, toParameters } from '../src/storage/token-rows.ts';
import { insertUserSql, toUserParameters } from '../src/storage/user-rows.ts';
import type { TokenRecord } from '../src/tokens/token-store.ts';
import { token, user } from './seed.ts';
import { peopleInStore, storeTokens, tokensOfOne } from './sizes.ts';

const day = 24 * 3_600_000;
/** Rows of one transaction while filling. */
const rowsAtOnce = 50_000;
const firstNames = ['Anna', 'Bernd', 'Carla', 'Dieter', 'Eva', 'Frank', 'Gerda', 'Hans', 'Ines', 'Jürgen'];
const lastNames = ['Arnold', 'Bäcker', 'Conrad', 'Dietz', 'Engel', 'Fuchs', 'Günther', 'Huber', 'Ilg'];
const devices = ['Phone', 'Laptop', 'Backup', 'Photo sync', 'Calendar', 'Old tablet', 'Car', 'Script'];
const clients = ['DAVx5/4.4.1', 'rclone/v1.69', 'curl/8.5.0', 'Mozilla/5.0 (Macintosh)', 'gvfs/1.54', null];

/** How the people of the store are reached. */
export interface SeededPeople {
  /** Cookie value of the one with very many tokens. */
  readonly ownerSession: string;
  readonly ownerId: UserId;
  /** Cookie value of an admin. */
  readonly adminSession: string;
  /** An admin key for tokens. */
  readonly key: string;
}

/** Fills the store with everybody and their tokens: one has `tokensOfOne` of them, all others about as many each. */
export async function seedPeople(config: Config): Promise<SeededPeople> {
  const store = await openStore(config, systemClock);
  try {
    const pepperId = (await store.openPeppers()).current;
    const connection = connect(storeName(config.store));
    connection.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -524288;');
    const fill = (
      sql: string,
      count: number,
      rowOf: (at: number) => Record<string, string | number | null>,
    ) => {
      const insert = connection.prepare(sql);
      for (let first = 0; first < count; first += rowsAtOnce) {
        connection.exec('BEGIN IMMEDIATE');
        for (let at = first; at < Math.min(first + rowsAtOnce, count); at++) insert.run(rowOf(at));
        connection.exec('COMMIT');
      }
    };
    const addIndexes = dropIndexes(connection);
    const people = Array.from({ length: peopleInStore }, (_, at) => personOf(at));
    fill(insertUserSql, people.length, (at) => toUserParameters(people[at] as UserRecord));
    fill(insertTokenSql, storeTokens, (at) => {
      const owner = at < tokensOfOne ? 0 : at % people.length;
      return toParameters(tokenOf(at, (people[owner] as UserRecord).id, pepperId));
    });
    addIndexes();
    connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    connection.close();
    return await open(store, people[0] as UserRecord, people[1] as UserRecord);
  } finally {
    await store.close();
  }
}

/** Filled row by row, an index takes ten times as long as made at once. Returns what makes them again. */
function dropIndexes(connection: ReturnType<typeof connect>): () => void {
  const indexes = connection
    .prepare(
      `SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'tokens' AND sql IS NOT NULL`,
    )
    .all();
  for (const { name } of indexes) connection.exec(`DROP INDEX ${String(name)}`);
  return () => {
    for (const { sql } of indexes) connection.exec(String(sql));
  };
}

async function open(store: OpenedStore, owner: UserRecord, admin: UserRecord): Promise<SeededPeople> {
  const deps = { clock: systemClock, randomBytes: systemRandom };
  const limits = { idleMs: day, maxMs: day, confirmationMs: day };
  const sessions = createSessions({ ...deps, store: store.sessions, limits });
  const start = async (person: UserRecord): Promise<string> => {
    const began = await sessions.start({
      ...{ user: person, source: localSource, address: '127.0.0.1', userAgent: 'bench' },
      ...{ confirmed: true, signOut: null, replaces: null },
    });
    if (began === null) throw new Error(`${person.name} cannot sign in`);
    return began.secret;
  };
  const made = await createAdminKeys({ ...deps, store: store.adminKeys }).create(
    'bench',
    'bench',
    ['tokens'],
    null,
  );
  if (isRefused(made)) throw new Error(made.detail);
  return {
    ...{ ownerSession: await start(owner), ownerId: owner.id, adminSession: await start(admin) },
    key: made.value,
  };
}

/** The second one is an admin. */
function personOf(at: number): UserRecord {
  const [first, last] = [nth(firstNames, at), nth(lastNames, Math.floor(at / firstNames.length))];
  const name = `${first}.${last}.${at}`.toLowerCase();
  const createdAt = systemClock.now() - 400 * day;
  return {
    ...user,
    id: uuidV7(createdAt + at, systemRandom) as UserId,
    name,
    nameKey: foldUserName(name),
    createdAt,
    displayName: `${first} ${last}`,
    email: `${name}@example.org`,
    role: at === 1 ? 'admin' : 'user',
    passwordHash: `$argon2id$v=19$m=19456,t=2,p=1$${randomBytes(16).toString('base64')}$${randomBytes(32).toString('base64')}`,
  };
}

/** Nobody could present it: it stands in for somebody's. */
function tokenOf(at: number, userId: UserId, pepperId: PepperId): TokenRecord {
  const now = systemClock.now();
  const createdAt = now - 300 * day + Math.floor((at / storeTokens) * 299 * day);
  const client = nth(clients, at);
  const used = client === null ? {} : { lastUsedAt: now - (at % 90) * day, lastUsedAddress: '192.0.2.7' };
  return {
    ...token,
    id: uuidV7(createdAt, systemRandom) as TokenId,
    userId,
    name: `${nth(devices, at)} ${at}`,
    digest: randomBytes(32).toString('base64url') as TokenDigest,
    pepperId,
    prefix: `lk_${randomBytes(3).toString('base64url')}`,
    createdAt,
    expiresAt: at % 3 === 0 ? null : now + ((at % 365) - 30) * day,
    revokedAt: at % 11 === 0 && at >= tokensOfOne ? now - day : null,
    ...used,
    lastUsedClient: client,
  };
}

function nth<Item>(items: readonly Item[], at: number): Item {
  return items[at % items.length] as Item;
}
