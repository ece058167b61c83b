import { BlockList, isIP } from 'node:net';
import type { Parsed } from './quantities.ts';

/**
 * The origin of a backend URL: http or https, nothing behind the authority.
 * The value itself is never repeated, because people write credentials into URLs.
 */
export function parseOrigin(text: string): Parsed<string> {
  const scheme = /^https?:\/\//i.exec(text);
  if (!scheme) return { wrong: 'must be a URL that starts with http:// or https://' };
  const url = URL.parse(text);
  if (!url || /[\s\\\p{Cc}]/u.test(text) || url.hostname === '') {
    return { wrong: 'is not a valid URL; write it like http://127.0.0.1:8008' };
  }
  if (url.username !== '' || url.password !== '' || text.includes('@')) {
    return { wrong: 'must not hold credentials; use backendAuth with {fromFile} or {fromEnv} instead' };
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    return {
      wrong:
        'must end after host and port: requests keep their own paths, because WebDAV answers name them; ' +
        'serve the backend under the same path as the route',
    };
  }
  if (url.port === '0') return { wrong: 'cannot have port 0' };
  return { value: url.origin };
}

/** A single Redis server as its URL says. */
export interface RedisUrl {
  /** The URL without credentials and database. */
  readonly node: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly tls: boolean;
}

/** Takes `redis://` or `rediss://[user[:password]@]host[:port][/database]`, or `unix:/path`, apart. Never repeats the value. */
export function parseRedisUrl(text: string): Parsed<RedisUrl> {
  if (/^unix:\/[^\s?#]+$/.test(text)) {
    return { value: { node: text, username: null, password: null, database: 0, tls: false } };
  }
  const url = /^rediss?:\/\/[^\s\\\p{Cc}]+$/u.test(text) ? URL.parse(text) : null;
  if (!url || url.hostname === '' || url.search !== '' || url.hash !== '') {
    return { wrong: 'must be a URL such as redis://127.0.0.1:6379 or rediss://redis.example.org:6380/0' };
  }
  const database = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  if (database === undefined) return { wrong: 'may only have a database number behind the host, such as /0' };
  const username = decode(url.username);
  const password = decode(url.password);
  if (username === null || password === null)
    return { wrong: 'holds credentials that are not percent-encoded' };
  return {
    value: {
      node: `${url.protocol}//${url.hostname}:${url.port === '' ? '6379' : url.port}`,
      username: username === '' ? null : username,
      password: password === '' ? null : password,
      database: Number(database),
      tls: url.protocol === 'rediss:',
    },
  };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** `host:port` of a Sentinel or Cluster node, in lower case. */
export function parseHostPort(text: string): Parsed<string> {
  const parts = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/@[\]]+):(\d{1,5})$/.exec(text);
  const host = parts?.[1] ?? '';
  const port = Number(parts?.[2]);
  if (!isHost(host) || !(port >= 1 && port <= 65535))
    return { wrong: 'must be host:port, such as 10.0.0.5:26379' };
  return { value: `${host.toLowerCase()}:${port}` };
}

/** A Host header value: name or address, optionally with a port, in lower case. */
export function parseAuthority(text: string): Parsed<string> {
  const parts = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/@[\]]+)(?::(\d{1,5}))?$/.exec(text);
  const port = parts?.[2] === undefined ? 1 : Number(parts[2]);
  if (!isHost(parts?.[1] ?? '') || port < 1 || port > 65535) {
    return { wrong: 'must be a host name, optionally with a port, such as files.example.org' };
  }
  return { value: text.toLowerCase() };
}

/** A name or address to listen on. */
export function parseListenHost(text: string): Parsed<string> {
  if (text.startsWith('[') && isHost(text)) {
    return { wrong: `must be an address without brackets: ${text.slice(1, -1)}` };
  }
  const wrong = 'must be an address or a host name, such as 127.0.0.1; leave it out to listen everywhere';
  return isIP(text) !== 0 || isHost(text) ? { value: text } : { wrong };
}

function isHost(text: string): boolean {
  if (text.startsWith('[')) return text.endsWith(']') && isIP(text.slice(1, -1)) === 6;
  if (/^[\d.]+$/.test(text)) return isIP(text) === 4;
  return (
    text.length <= 253 && /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(text) && !text.includes('..')
  );
}

/** A CIDR block, or one address as a block of one. */
export function parseCidr(text: string): Parsed<string> {
  const wrong = 'must be an address or a CIDR block, such as 10.0.0.0/8 or fd00::/8';
  const parts = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = parts?.[1] ?? '';
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  const prefix = parts?.[2] === undefined ? bits : Number(parts[2]);
  if (family === 0 || prefix > bits) return { wrong };
  if (/^::ffff:.*\./i.test(address)) {
    return { wrong: 'must be written as an IPv4 address: peers are compared without ::ffff:' };
  }
  try {
    new BlockList().addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  } catch {
    return { wrong };
  }
  return { value: `${address.toLowerCase()}/${prefix}` };
}

/** An http(s) origin; a path, query or user information is refused. */
export function parsePortalUrl(text: string): Parsed<string> {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOrigin =
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.pathname === '/' &&
    `${url.search}${url.hash}${url.username}${url.password}` === '';
  return isOrigin
    ? { value: url.origin }
    : { wrong: 'must be an address such as https://tokens.example.org, without a path' };
}
