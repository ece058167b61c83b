import { isIP } from 'node:net';
import type { Parsed } from './quantities.ts';
import type { SqliteConfig } from './store-config.ts';

/** A PostgreSQL database as its URL says. */
export interface PostgresUrl {
  readonly kind: 'postgres';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | null;
  readonly database: string;
  /** Null where the URL does not say. */
  readonly tls: boolean | null;
}

/** `sqlite:PATH` or the URL of a PostgreSQL database. Never repeats the value, which may hold a password. */
export function parseStore(text: string): Parsed<SqliteConfig | PostgresUrl> {
  if (/^postgres(ql)?:/.test(text)) return parsePostgresUrl(text);
  const path = /^sqlite:(?:\/\/(?=\/))?([^\0?#]+)$/.exec(text)?.[1];
  if (path === undefined || path.startsWith('//') || path.endsWith('/')) {
    return {
      wrong:
        'must be sqlite: and a file, such as sqlite:./data/latchkey.db, or a URL such as postgres://latchkey@db.example.org/latchkey',
    };
  }
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(path))
    return {
      wrong: 'must name a file behind sqlite:, not a URL; that of a PostgreSQL database stands alone',
    };
  if (path.startsWith(':'))
    return { wrong: 'must name a file: tokens kept in memory would not survive a restart' };
  return { value: { kind: 'sqlite', path } };
}

const urlParts =
  /^postgres(?:ql)?:\/\/(?:([^\s:@/?#]*)(?::([^\s@/?#]*))?@)?(\[[^\s\]]*\]|[^\s:@/?#[\],]*)(?::(\d{1,5}))?\/([^\s/?#]*)(?:\?([^\s#]*))?$/;

/**
 * Takes `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE` apart. The folder of a unix socket stands in `?host=`, or
 * percent-encoded in the place of the host. Never repeats the value.
 */
export function parsePostgresUrl(text: string): Parsed<PostgresUrl> {
  const parts = urlParts.exec(text);
  if (parts === null) {
    return {
      wrong:
        'must be a URL such as postgres://latchkey@db.example.org:5432/latchkey: one host, one database; what is special in a name is percent-encoded',
    };
  }
  const options = readOptions(parts[6] ?? '');
  if ('wrong' in options) return options;
  const [user, password, host, database] = [parts[1], parts[2], parts[3], parts[5]].map((part) =>
    decode(part ?? ''),
  );
  if (user === undefined || password === undefined || host === undefined || database === undefined)
    return { wrong: 'holds something that is not percent-encoded' };
  if (user === '') return { wrong: 'must name the user: postgres://USER@HOST/DATABASE' };
  if (database === '') return { wrong: 'must name the database: postgres://USER@HOST/DATABASE' };
  const place = options.value.host ?? host.replaceAll(/^\[|\]$/g, '');
  if (!isPlace(place, host)) {
    return { wrong: 'must name one host, or the folder of a unix socket as ?host=/var/run/postgresql' };
  }
  const port = Number(parts[4] ?? options.value.port ?? 5432);
  if (!(port >= 1 && port <= 65535)) return { wrong: 'must have a port from 1 to 65535' };
  const secret = password === '' ? null : password;
  return {
    value: { kind: 'postgres', host: place, port, user, password: secret, database, tls: options.value.tls },
  };
}

interface Options {
  readonly host: string | null;
  readonly port: string | null;
  readonly tls: boolean | null;
}

function readOptions(query: string): Parsed<Options> {
  const options = new URLSearchParams(query);
  const known = new Set(['host', 'port', 'sslmode']);
  for (const name of options.keys()) {
    if (!known.has(name)) {
      return {
        wrong:
          'may have host, port and sslmode behind the ?; write the rest as a map with url, password, tls',
      };
    }
  }
  const mode = options.get('sslmode');
  if (mode !== null && !['disable', 'require', 'verify-full'].includes(mode)) {
    return {
      wrong:
        'must have sslmode=verify-full, or disable: anything else does not say whether the server is known',
    };
  }
  const port = options.get('port');
  if (port !== null && !/^\d{1,5}$/.test(port)) return { wrong: 'must have a port from 1 to 65535' };
  return { value: { host: options.get('host'), port, tls: mode === null ? null : mode !== 'disable' } };
}

function isPlace(place: string, written: string): boolean {
  if (place.startsWith('/')) return !place.includes('\0');
  if (written.startsWith('[')) return isIP(place) === 6;
  return isIP(place) !== 0 || /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(place);
}

function decode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text);
    return /\p{Cc}/u.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}
