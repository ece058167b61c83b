import type { Parsed } from './quantities.ts';

/** An ldap:// or ldaps:// URL of host and port only. Never repeats the value. */
export function parseLdapUrl(text: string): Parsed<string> {
  const url = /^ldaps?:\/\/[^\s\\\p{Cc}]+$/iu.test(text) ? URL.parse(text) : null;
  if (url === null || url.hostname === '') {
    return { wrong: 'must be a URL such as ldaps://ldap.example.org' };
  }
  if (url.username !== '' || url.password !== '' || text.includes('@')) {
    return { wrong: 'must not hold credentials; use bindDn and bindPassword instead' };
  }
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '' || url.port === '0') {
    return { wrong: 'must end after host and port; baseDn says where users are searched' };
  }
  return { value: `${url.protocol}//${url.host}` };
}

/** Issuer of a provider: https://, or http:// on this machine. Kept as spelt, because tokens name it so. */
export function parseIssuer(text: string): Parsed<string> {
  const url = /^https?:\/\/[^\s\\\p{Cc}?#]+$/iu.test(text) ? URL.parse(text) : null;
  if (url === null || url.hostname === '') {
    return { wrong: 'must be a URL such as https://login.example.org, without ? and #' };
  }
  if (url.username !== '' || url.password !== '') return { wrong: 'must not hold credentials' };
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return { wrong: 'must start with https://: over http:// anyone on the way could sign in as anyone' };
  }
  return { value: text };
}

/** Whether a URL's host is this machine, so that nobody listens on the way. */
export function isLoopback(hostname: string): boolean {
  const name = hostname.replaceAll(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}
