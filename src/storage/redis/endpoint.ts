import type { RedisConfig } from '../../config/config.ts';

/** Where one server listens. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What a URL says about one server, in the names of connection options. */
export interface UrlOptions {
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: { readonly ca?: string };
}

/**
 * Reads `host:port` or `[v6]:port`. Throws TypeError, naming the text, where it is neither.
 */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:@/[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    // No part of a text with an @ is shown: it may be a URL with a password.
    throw new TypeError(`redis.nodes: ${text.includes('@') ? 'an entry' : `"${text}"`} is not HOST:PORT`);
  }
  return { host, port };
}

/**
 * Reads `redis://`, `rediss://` or `unix:/path` into connection options. User name, password and
 * database in the configuration go before those in the URL. Throws TypeError, without
 * repeating the URL (it may hold the password), where it cannot be read.
 */
export function parseRedisUrl(text: string, config: RedisConfig): UrlOptions {
  if (!URL.canParse(text)) {
    throw new TypeError(
      'redis: the URL cannot be read; expected redis://HOST:PORT, rediss://HOST:PORT or unix:/PATH',
    );
  }
  const url = new URL(text);
  if (url.protocol === 'unix:') {
    return { path: percentDecoded(url.pathname) };
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new TypeError(`redis: the scheme ${url.protocol} is not one of redis:, rediss:, unix:`);
  }
  const database = /^\/(\d{1,5})$/.exec(url.pathname)?.[1];
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    ...(url.protocol === 'rediss:' ? { tls: caOf(config) } : {}),
    ...(config.username === null && url.username !== '' ? { username: percentDecoded(url.username) } : {}),
    ...(config.password === null && url.password !== '' ? { password: percentDecoded(url.password) } : {}),
    ...(config.database === 0 && database !== undefined ? { db: Number(database) } : {}),
  };
}

/** Every secret in the configuration, as it could appear in a text: to be blotted out of messages. */
export function secretsOf(config: RedisConfig): readonly string[] {
  const secrets = new Set<string>();
  if (config.password !== null) {
    secrets.add(config.password);
  }
  for (const node of config.nodes) {
    const written = URL.canParse(node) ? new URL(node).password : '';
    secrets.add(written).add(percentDecoded(written));
  }
  secrets.delete('');
  return [...secrets];
}

function caOf(config: RedisConfig): { ca?: string } {
  return config.tls === null || config.tls.ca === null ? {} : { ca: config.tls.ca };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a bare percent sign means itself
  }
}
