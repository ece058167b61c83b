import type { KeyPath } from './problem.ts';
import type { Parsed } from './quantities.ts';
import type { SecretReference } from './schema-parts.ts';
import { checkCertificates, checkPassword } from './secrets.ts';
import type { PostgresUrl } from './store-address.ts';
import type { PostgresConfig, StoreConfig } from './store-config.ts';
import type { WrittenPostgres, WrittenStore } from './store-schema.ts';

type Read = (reference: SecretReference, path: KeyPath, check: (secret: string) => Parsed<string>) => string;

const urlDefaults = {
  password: null,
  poolMax: 10,
  connectTimeout: 2_000,
  statementTimeout: 2_500,
  tls: null,
};

/** Reads the secrets of `store`; `absolute` makes the name of its file absolute. */
export function resolveStore(
  written: WrittenStore,
  read: Read,
  absolute: (path: string) => string,
): StoreConfig {
  if ('url' in written) return postgres(written.url, written, read);
  if (written.kind === 'postgres') return postgres(written, urlDefaults, read);
  return { kind: 'sqlite', path: absolute(written.path) };
}

function postgres(
  { tls: tlsOfUrl, password: passwordOfUrl, ...place }: PostgresUrl,
  written: Omit<WrittenPostgres, 'url'>,
  read: Read,
): PostgresConfig {
  const { poolMax, connectTimeout, statementTimeout, tls } = written;
  const password = written.password && read(written.password, ['store', 'password'], checkPassword);
  const ca = typeof tls === 'object' && tls !== null ? tls.ca : null;
  return {
    ...place,
    password: password ?? passwordOfUrl,
    poolMax,
    connectTimeoutMs: connectTimeout,
    statementTimeoutMs: statementTimeout,
    tls:
      (tls ?? tlsOfUrl ?? false) === false
        ? null
        : { ca: ca && read(ca, ['store', 'tls', 'ca'], checkCertificates) },
  };
}
