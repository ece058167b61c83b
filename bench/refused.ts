import { openStore } from '../src/compose/store.ts';
import type { Config } from '../src/config/config.ts';
import { storeName } from '../src/config/store-config.ts';
import { systemClock } from '../src/core/clock.ts';
import type { TokenId, UserId } from '../src/core/ids.ts';
import { systemRandom } from '../src/core/random.ts';
import { foldUserName } from '../src/core/user-name.ts';
import { uuidV7 } from '../src/core/uuid.ts';
import { createPasswords } from '../src/identity/passwords.ts';
import { connect } from '../src/storage/sqlite/database.ts';
import { insertTokenSql, toParameters } from '../src/storage/token-rows.ts';
import { displayPrefixLength, mintToken } from '../src/tokens/mint.ts';
import type { TokenRecord } from '../src/tokens/token-store.ts';
import { token, user } from './seed.ts';

/** Requests of one kind that all have to be refused: for each, what stands in its Basic credential. */
export interface RefusedKind {
  readonly kind: string;
  readonly credentials: readonly (readonly [user: string, secret: string])[];
}

const day = 24 * 3_600_000;

/** Owners take turns, so that none of them has more guesses counted against it than its limit. */
const owners = 100;

/** Fills the store with tokens in every state that is refused: `count` of each, the unknown first. */
export async function seedRefused(config: Config, count: number): Promise<readonly RefusedKind[]> {
  const store = await openStore(config, systemClock);
  const peppers = await store.openPeppers();
  const users: UserId[] = [];
  for (let at = 0; at < owners; at++) users.push(await addUser(store, ownerName(at), null, false));
  const disabled = await addUser(store, 'carol', null, true);
  const connection = connect(storeName(config.store));
  const insert = connection.prepare(insertTokenSql);
  const add = (value: string, userId: UserId, more: Partial<TokenRecord>): void => {
    const prefix = value.slice(0, displayPrefixLength);
    const id = uuidV7(systemClock.now(), systemRandom) as TokenId;
    const digest = peppers.digest(value);
    const record = { ...token, id, userId, digest, pepperId: peppers.current, prefix, createdAt: 0, ...more };
    insert.run(toParameters(record));
  };
  const owned =
    (more: Partial<TokenRecord>, nameOf = ownerName) =>
    (value: string, at: number): readonly [string, string] => {
      add(value, users[at % owners] as UserId, more);
      return [nameOf(at), value];
    };
  const kinds: Readonly<Record<string, (value: string, at: number) => readonly [string, string]>> = {
    unknown: (value, at) => [ownerName(at), value],
    'unknown, and so is the user': (value, at) => [`nobody-${at % owners}`, value],
    'wrong checksum': (value, at) => [ownerName(at), wrongChecksum(value)],
    'no token at all': (value, at) => [ownerName(at), value.slice(3)],
    expired: owned({ expiresAt: systemClock.now() - day }),
    revoked: owned({ revokedAt: systemClock.now(), revokedBy: 'bench' }),
    disabled: owned({ enabled: false }),
    'not yet valid': owned({ notBefore: systemClock.now() + day }),
    'foreign network': owned({ networks: ['192.0.2.0/24'] }),
    'wrong user name': owned({}, () => 'mallory'),
    'disabled owner': (value) => {
      add(value, disabled, {});
      return ['carol', value];
    },
  };
  connection.exec('BEGIN IMMEDIATE');
  const seeded = Object.entries(kinds).map(([kind, seed]) => ({
    kind,
    credentials: Array.from({ length: count }, (_, at) => seed(mintToken(systemRandom), at)),
  }));
  connection.exec('COMMIT');
  connection.close();
  await store.close();
  return seeded;
}

/** Main passwords that have to be refused, `count` of each kind, the unknown user first. */
export async function seedRefusedPasswords(config: Config, count: number): Promise<readonly RefusedKind[]> {
  const store = await openStore(config, systemClock);
  const password = 'the right password of a disabled user';
  const hash = await createPasswords({ concurrency: 1, queueMax: 1 }).hash(password);
  await addUser(store, 'dave', hash, false);
  await addUser(store, 'erin', null, false);
  // One for each request: the same password of the same user would be remembered.
  for (let at = 0; at < count; at++) await addUser(store, `frank-${at}`, hash, true);
  await store.close();
  const wrong = (name: string): RefusedKind['credentials'] =>
    Array.from({ length: count }, () => [name, uuidV7(systemClock.now(), systemRandom)] as const);
  return [
    { kind: 'unknown user', credentials: wrong('nobody') },
    { kind: 'wrong password', credentials: wrong('dave') },
    { kind: 'user without password', credentials: wrong('erin') },
    {
      kind: 'right password, disabled user',
      credentials: Array.from({ length: count }, (_, at) => [`frank-${at}`, password] as const),
    },
  ];
}

async function addUser(
  store: Awaited<ReturnType<typeof openStore>>,
  name: string,
  passwordHash: string | null,
  disabled: boolean,
): Promise<UserId> {
  const id = uuidV7(systemClock.now(), systemRandom) as UserId;
  const at = systemClock.now();
  await store.users.insert(
    { ...user, id, name, nameKey: foldUserName(name), passwordHash, disabled, createdAt: at },
    { at, action: 'user.add', actor: 'bench', userId: id, tokenId: null, details: {} },
  );
  return id;
}

function ownerName(at: number): string {
  return `alice-${at % owners}`;
}

function wrongChecksum(value: string): string {
  return value.slice(0, -1) + (value.endsWith('0') ? '1' : '0');
}
