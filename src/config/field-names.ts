import type { Parsed } from './quantities.ts';

/**
 * Fields that frame, route or authorize a request, or that the gateway writes itself: an identity or
 * a credential in one of them would break the request or be believed by mistake.
 */
const reserved: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'depth',
  'destination',
  'expect',
  'forwarded',
  'host',
  'if',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'lock-token',
  'max-forwards',
  'overwrite',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'set-cookie',
  'te',
  'timeout',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'www-authenticate',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-real-ip',
]);

/** A request header that the gateway may own (RFC 9110 section 5.1), in the spelling given. */
export function parseFieldName(text: string): Parsed<string> {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(text)) {
    return { wrong: 'must be a header name, such as X-Remote-User' };
  }
  if (text.includes('_')) {
    return { wrong: 'must not hold an underscore: many servers take _ and - for the same; use a hyphen' };
  }
  if (reserved.has(text.toLowerCase())) {
    return {
      wrong: `${text} has a meaning of its own in HTTP or WebDAV; use another name, such as X-Remote-User`,
    };
  }
  return { value: text };
}

/** A query parameter that may carry a credential, in the spelling given. */
export function parseParameterName(text: string): Parsed<string> {
  if (/^[A-Za-z0-9_.~-]{1,100}$/.test(text)) return { value: text };
  return { wrong: 'must be a query parameter of letters, digits and _ . ~ -, such as session' };
}

/** Text with {variables}; every brace must belong to one of `variables`. */
export function parseTemplate(text: string, variables: readonly string[]): Parsed<string> {
  const known = variables.map((name) => `{${name}}`).join(' ');
  for (const [, name] of text.matchAll(/\{([^{}]*)\}/g)) {
    if (!variables.includes(name ?? '')) return { wrong: `{${name}} is not known here; known: ${known}` };
  }
  if (/[{}]/.test(text.replaceAll(/\{[^{}]*\}/g, ''))) {
    return { wrong: `has a brace without its partner; known: ${known}` };
  }
  return { value: text };
}

/** A header value with {variables}: printable ASCII without outer spaces. */
export function parseHeaderTemplate(text: string): Parsed<string> {
  if (!/^[!-~](?:[ -~]*[!-~])?$/.test(text)) return { wrong: 'must be printable ASCII without outer spaces' };
  return parseTemplate(text, ['user', 'userId', 'tokenId', 'route']);
}
