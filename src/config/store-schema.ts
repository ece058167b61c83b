import { z } from 'zod';
import { duration, leaf, optional, secret, type SecretReference, wholeNumber } from './schema-parts.ts';
import { parsePostgresUrl, parseStore, type PostgresUrl } from './store-address.ts';
import type { SqliteConfig } from './store-config.ts';

/** `store:` written as a map, secrets not yet read. */
export interface WrittenPostgres {
  readonly url: PostgresUrl;
  readonly password: SecretReference | null;
  readonly poolMax: number;
  readonly connectTimeout: number;
  readonly statementTimeout: number;
  readonly tls: boolean | { readonly ca: SecretReference | null } | null;
}

/** `store:` as written. */
export type WrittenStore = SqliteConfig | PostgresUrl | WrittenPostgres;

/** Small enough that a change is made or refused within 5 s. */
const timeoutMs: readonly [number, number] = [100, 60_000];

const tlsError = 'must be true, false or {ca: {fromFile: PATH}}';

const mapSchema = z.strictObject({
  url: leaf(parsePostgresUrl, 'postgres://USER@HOST:PORT/DATABASE.'),
  password: optional(secret('Password of the user; left out, the URL has it, or none is needed.')),
  poolMax: wholeNumber(
    'Connections of one process, beside the one that hears of changes.',
    [2, 1_000],
  ).default(10),
  connectTimeout: duration('Time until a connection is had.', '2s', timeoutMs),
  statementTimeout: duration('Time for an operation on it.', '2500ms', timeoutMs),
  tls: optional(
    z
      .union([z.boolean(), z.strictObject({ ca: optional(secret('PEM certificates of its authority.')) })], {
        error: tlsError,
      })
      .meta({ description: 'Speak TLS, and check who the server is.' }),
  ),
});

/** The schema of `store:`. */
export const storeSchema: z.ZodType<WrittenStore> = z
  .union([leaf(parseStore, 'sqlite: and a file, or a postgres:// URL.'), mapSchema], {
    error:
      'must be sqlite: and a file, such as sqlite:./data/latchkey.db, a URL such as postgres://latchkey@db.example.org/latchkey, or a map with url',
  })
  .meta({ description: 'Where tokens are kept: a file or PostgreSQL; left out, latchkey.db in dataDir.' });
