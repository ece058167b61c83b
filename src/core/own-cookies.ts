/**
 * Cookies that the gateway's own pages set. They open people's token pages: no backend ever sees or sets one, and none
 * of them counts on the way to a backend.
 */

/** With this prefix browsers keep a cookie only from this very host, over TLS, for all paths (RFC 6265bis section 4.1.3.2). */
export const securePrefix = '__Host-latchkey';
/** What stands instead over plain HTTP, where browsers refuse that prefix. */
export const plainPrefix = 'latchkey_';

/** A Cookie field (RFC 6265 section 4.2.1) without ours, '' where nothing is left; null where it holds none of ours. */
export function withoutOwnCookies(field: string): string | null {
  if (!field.includes('latchkey')) return null;
  const pairs = field.split(';').map((pair) => pair.trim());
  const others = pairs.filter((pair) => !isOwnCookie(pair));
  return others.length === pairs.length ? null : others.join('; ');
}

/** Whether a cookie pair, or a Set-Cookie field, names one of ours, or would once a browser sends it back. */
export function isOwnCookie(pair: string): boolean {
  // A cookie without a name is sent back as its value alone (RFC 6265bis section 5.8.3), which then names one.
  const name = pair.replace(/^[\s=]+/, '');
  return name.startsWith(securePrefix) || name.startsWith(plainPrefix);
}
