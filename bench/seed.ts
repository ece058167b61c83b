import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { openStore } from '../src/compose/store.ts';
import type { Config } from '../src/config/config.ts';
import { storeName } from '../src/config/store-config.ts';
import { loadConfig } from '../src/config/load.ts';
import { systemClock } from '../src/core/clock.ts';
import type { TokenDigest, TokenId, UserId } from '../src/core/ids.ts';
import { systemRandom } from '../src/core/random.ts';
import { foldUserName } from '../src/core/user-name.ts';
import { uuidV7 } from '../src/core/uuid.ts';
import { localSource, type UserRecord } from '../src/identity/user-store.ts';
import { connect } from '../src/storage/sqlite/database.ts';
import { insertTokenSql, toParameters } from '../src/storage/token-rows.ts';
import { displayPrefixLength, mintToken } from '../src/tokens/mint.ts';
import type { TokenRecord } from '../src/tokens/token-store.ts';

/** The one user whose tokens are used. */
export const userName = 'alice';
/** The scope of every token: a folder, as a photo-syncing phone would have. */
export const scope = 'path:/dav/files/alice/Photos/:rw';
/** A file in that folder. */
export const scopedPath = '/dav/files/alice/Photos/2026/img-0001.jpg';

/** Rows of one transaction while filling. */
const rowsAtOnce = 50_000;

/** The configuration in this file, as the gateway would read it. */
export function readConfig(file: string): Config {
  const result = loadConfig({
    flags: [],
    configFlag: file,
    env: {},
    cwd: '/',
    readFile: (path) => readFileSync(path, 'utf8'),
    routesRequired: true,
  });
  if (result.kind === 'invalid') throw new Error(`${file}: ${JSON.stringify(result.problems)}`);
  return result.config;
}

/**
 * Fills the store of this configuration with `count` tokens and returns the values of the first `usable`;
 * nobody could present the others, which stand in for everyone else's.
 */
export async function seedTokens(config: Config, count: number, usable: number): Promise<readonly string[]> {
  const store = await openStore(config, systemClock);
  const peppers = await store.openPeppers();
  const now = systemClock.now();
  const userId = uuidV7(now, systemRandom) as UserId;
  await store.users.insert(
    { ...user, id: userId, name: userName, nameKey: foldUserName(userName), createdAt: now },
    { at: now, action: 'user.add', actor: 'bench', userId, tokenId: null, details: {} },
  );
  const connection = connect(storeName(config.store));
  connection.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -524288;');
  const insert = connection.prepare(insertTokenSql);
  const values: string[] = [];
  for (let first = 0; first < count; first += rowsAtOnce) {
    connection.exec('BEGIN IMMEDIATE');
    for (let at = first; at < Math.min(first + rowsAtOnce, count); at++) {
      const value = at < usable ? mintToken(systemRandom) : null;
      if (value !== null) values.push(value);
      const digest = value === null ? randomBytes(32).toString('base64url') : peppers.digest(value);
      insert.run(
        toParameters({
          ...token,
          id: uuidV7(now - count + at, systemRandom) as TokenId,
          userId,
          digest: digest as TokenDigest,
          pepperId: peppers.current,
          prefix: (value ?? 'lk_xxxx').slice(0, displayPrefixLength),
          createdAt: now,
        }),
      );
    }
    connection.exec('COMMIT');
  }
  connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  connection.close();
  await store.close();
  return values;
}

/** Tokens handed to a program of its own: one a line. */
export function writeTokens(file: string, values: readonly string[]): void {
  writeFileSync(file, values.join('\n'), { mode: 0o600 });
}

/** What `writeTokens` wrote. */
export function readTokens(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n');
}

/** What every token has unless something else is said. */
export const token: Omit<TokenRecord, 'id' | 'userId' | 'digest' | 'pepperId' | 'prefix' | 'createdAt'> = {
  name: 'phone',
  scopes: [scope],
  createdBy: 'bench',
  createdFrom: null,
  expiresAt: null,
  slidingMs: null,
  until: null,
  notBefore: null,
  enabled: true,
  networks: [],
  deleteUnusedMs: null,
  revokedAt: null,
  revokedBy: null,
  revokedWhy: null,
  lastUsedAt: null,
  lastUsedAddress: null,
  lastUsedClient: null,
  version: 1,
};

/** What every user has unless something else is said. */
export const user: Omit<UserRecord, 'id' | 'name' | 'nameKey' | 'createdAt'> = {
  displayName: null,
  email: null,
  language: null,
  role: 'user',
  source: localSource,
  subject: null,
  passwordHash: null,
  disabled: false,
  lapsed: false,
  mayHaveTokens: null,
  signedInAt: null,
  sourceGrant: null,
  sourceCheckedAt: null,
  version: 1,
};
