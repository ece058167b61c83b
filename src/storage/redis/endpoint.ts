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
 * Reads `redis://HOST[:PORT]`, `rediss://HOST[:PORT]` or `unix:/PATH` into connection options; credentials and
 * database stand in the configuration beside it. Throws TypeError, without repeating the URL, where it is neither.
 */
export function parseRedisUrl(text: string, config: RedisConfig): UrlOptions {
  const url = URL.parse(text);
  if (url?.protocol === 'unix:') {
    return { path: decodeURIComponent(url.pathname) };
  }
  if (url?.protocol !== 'redis:' && url?.protocol !== 'rediss:') {
    throw new TypeError('redis: expected redis://HOST:PORT, rediss://HOST:PORT or unix:/PATH');
  }
  const ca = config.tls?.ca ?? null;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    ...(url.protocol === 'rediss:' ? { tls: ca === null ? {} : { ca } } : {}),
  };
}
