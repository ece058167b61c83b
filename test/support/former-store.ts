/** Store files as earlier versions of Latchkey left them, made by the SQL of those versions with data in them. */
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { PepperConfig } from '../../src/config/config.ts';
import { systemRandom } from '../../src/core/random.ts';
import { firstTables } from '../../src/storage/sqlite/migrations/0001-first-tables.ts';
import { auditByTime } from '../../src/storage/sqlite/migrations/0002-audit-by-time.ts';
import { selfService } from '../../src/storage/sqlite/migrations/0003-self-service.ts';
import { createPeppers } from '../../src/tokens/digest.ts';
import { displayPrefixLength, mintToken } from '../../src/tokens/mint.ts';

/** The SQL that leads to each schema that there was before the present one. */
const steps = [firstTables, auditByTime, selfService];

/** A token in such a file. */
export interface FormerToken {
  readonly id: string;
  readonly secret: string;
  /** Whether it was good when the file was last used. */
  readonly isGood: boolean;
}

/** What is in such a file. */
export interface FormerStore {
  readonly realm: string;
  readonly tokens: readonly FormerToken[];
  /** Number of the newest journal entry. */
  readonly journalPosition: number;
}

/** "Ltch", as in the header of every store file. */
const applicationId = 0x4c_74_63_68;
const at = Date.UTC(2025, 0, 1);
const [alice, bob, gone] = [randomUUID(), randomUUID(), randomUUID()];

/**
 * Makes a store of this schema: each version's SQL ran on what the one before had left. `fillers` more tokens, which nobody
 * can present, make the next migration take its time.
 */
export function makeFormerStore(
  path: string,
  schema: 1 | 2 | 3,
  pepper: PepperConfig,
  fillers = 0,
): FormerStore {
  const database = new DatabaseSync(path);
  const realm = randomUUID();
  database.exec(`
    PRAGMA application_id = ${applicationId};
    PRAGMA journal_mode = WAL;
    BEGIN;
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    INSERT INTO meta VALUES ('schema', '1'), ('realm', '${realm}');
    ${firstTables}`);
  const tokens = addFirstData(database, pepper, fillers);
  for (const [index, sql] of steps.slice(1, schema).entries()) {
    database.exec(sql);
    database.exec(`UPDATE meta SET value = '${index + 2}' WHERE name = 'schema'`);
  }
  if (schema >= 3) addSelfServiceData(database);
  database.exec('COMMIT');
  database.close();
  return { realm, tokens, journalPosition: 42 };
}

/** What the first version could hold. */
function addFirstData(database: DatabaseSync, pepper: PepperConfig, fillers: number): readonly FormerToken[] {
  const user = database.prepare('INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  user.run(alice, 'Alice', 'alice', '$argon2id$a hash', 0, at, null, 3);
  user.run(bob, 'bob', 'bob', null, 1, at, null, 2);
  user.run(gone, 'gone', null, null, 0, at, at + 5, 2);
  database.prepare('INSERT INTO peppers VALUES (?)').run(pepper.id);
  const peppers = createPeppers([pepper]);
  const insert = database.prepare(`
    INSERT INTO tokens (id, user_id, name, digest, pepper_id, prefix, scopes, created_at, created_by, expires_at, enabled,
      networks, revoked_at, last_used_at, last_used_address, last_used_client, version)
    VALUES (?, ?, ?, ?, '${pepper.id}', ?, '["*"]', ${at}, 'cli:root', ?, ?, '[]', ?, ?, ?, ?, ?)`);
  const add = (
    owner: string,
    name: string,
    ends: number | null,
    enabled: number,
    revokedAt: number | null,
  ): FormerToken => {
    const [id, secret] = [randomUUID(), mintToken(systemRandom)];
    const used = name === 'phone' ? [at + 7, '192.0.2.7', 'DAVx5/4.4'] : [null, null, null];
    insert.run(
      ...[id, owner, name, peppers.digest(secret)],
      secret.slice(0, displayPrefixLength),
      ends,
      enabled,
      revokedAt,
      ...used,
      1,
    );
    return { id, secret, isGood: ends === null && enabled === 1 && revokedAt === null && owner === alice };
  };
  for (let index = 0; index < fillers; index++)
    insert.run(
      randomUUID(),
      alice,
      `filler ${index}`,
      randomUUID(),
      'lk_xxxx',
      null,
      1,
      null,
      null,
      null,
      `client ${index}`,
      1,
    );
  const tokens = [
    add(alice, 'phone', null, 1, null),
    add(alice, 'lost', null, 1, at + 9),
    add(alice, 'over', at + 1, 1, null),
    add(alice, 'off', null, 0, null),
    add(bob, 'of bob', null, 1, null),
  ];
  const [phone, lost] = tokens.map(({ id }) => id);
  database.prepare('INSERT INTO journal VALUES (?, ?, ?, ?, ?)').run(42, at, 'token', lost ?? '', 2);
  const audit = database.prepare(
    'INSERT INTO audit (at, action, actor, user_id, token_id, details) VALUES (?, ?, ?, ?, ?, ?)',
  );
  audit.run(at, 'token.create', 'cli:root', alice, phone ?? '', '{"scopes":["*"]}');
  audit.run(at + 9, 'token.revoke', 'cli:root', alice, lost ?? '', '{}');
  return tokens;
}

/** What came with the third. */
function addSelfServiceData(database: DatabaseSync): void {
  database.exec(`
    UPDATE users SET role = 'admin', email = 'alice@example.org' WHERE id = '${alice}';
    INSERT INTO admin_keys VALUES ('key-id', 'backup', 'digest of key', 'lka_', '["tokens"]', ${at}, 'cli:root', NULL, NULL, NULL);
    INSERT INTO token_policy VALUES (1, '{}', 2, ${at}, '${alice}');
    INSERT INTO sessions VALUES ('session-id', '${alice}', 'digest of session', 'local', ${at}, ${at}, 4000000000000, NULL, '192.0.2.1', NULL, NULL, NULL);`);
}
