/** Tokens and everything else in one file. */
export interface SqliteConfig {
  readonly kind: 'sqlite';
  readonly path: string;
}

/** A PostgreSQL database, and how it is spoken to. */
export interface PostgresConfig {
  readonly kind: 'postgres';
  /** A name, an address without brackets, or the folder of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Null: the server lets this user in without one. */
  readonly password: string | null;
  readonly database: string;
  /** Connections of one process, beside the one that hears of changes. Default 10. */
  readonly poolMax: number;
  /** Time until a connection is had, new or used before. Default 2 s. */
  readonly connectTimeoutMs: number;
  /** Time for an operation on it. Default 2.5 s. */
  readonly statementTimeoutMs: number;
  /** The server must prove who it is, to the system's authorities or to these. Null: without TLS. */
  readonly tls: { readonly ca: string | null } | null;
}

/** Where the truth is kept. */
export type StoreConfig = SqliteConfig | PostgresConfig;

/** The store for people and logs: its file or address; never its password. */
export function storeName(store: StoreConfig): string {
  return store.kind === 'sqlite' ? store.path : postgresUrl(store);
}

/** The address as the configuration takes it, without the password. */
export function postgresUrl({ host, port, user, database, tls }: PostgresConfig): string {
  const [name, base] = [encodeURIComponent(user), encodeURIComponent(database)];
  if (host.startsWith('/')) return `postgres://${name}@/${base}?host=${encodeURI(host)}&port=${port}`;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return `postgres://${name}@${shownHost}:${port}/${base}${tls === null ? '' : '?sslmode=verify-full'}`;
}
