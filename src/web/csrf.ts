import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { WebContext } from './context.ts';
import { readCookie, writeCookie } from './cookies.ts';

/**
 * What forms carry so that no other site can send them: derived from a secret that only this browser's cookie holds.
 * Nothing of it is kept.
 */
export function csrfToken(secret: string): string {
  return createHmac('sha256', secret).update('latchkey csrf').digest('base64url');
}

/** The secret that forms of somebody not signed in are bound to; made with the first page. */
export function visitorSecret(c: WebContext): string {
  const known = readCookie(c, 'visitor');
  if (known !== null && /^[\w-]{22}$/.test(known)) return known;
  const secret = randomBytes(16).toString('base64url');
  writeCookie(c, 'visitor', secret, null);
  return secret;
}

/** Whether what the form or script sent is this visitor's. */
export function isOwnCsrf(expected: string, sent: string | null): boolean {
  if (sent === null || expected === '') return false;
  const [a, b] = [Buffer.from(expected), Buffer.from(sent)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Whether the browser says that another site's page made this request (Fetch Metadata, Origin). A browser too old to
 * say anything is left to the token alone.
 */
export function isForeign(c: WebContext): boolean {
  const site = c.req.header('Sec-Fetch-Site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const origin = c.req.header('Origin');
  return origin !== undefined && origin !== c.get('visit').origin;
}
