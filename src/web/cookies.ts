import { deleteCookie, setCookie } from 'hono/cookie';
import { plainPrefix, securePrefix } from '../core/own-cookies.ts';
import type { Language } from '../identity/user-store.ts';
import type { WebContext } from './context.ts';

/** What our cookies are for: the signed-in session, the visitor that forms are bound to, a sign-in under way, the language. */
export type CookiePurpose = 'session' | 'visitor' | 'pending' | 'language';

/** Longest value that is looked at: sealed ones are the longest. */
const valueCharsMax = 4_096;
/** Browsers keep nothing longer than 400 days. */
const languageKeptMs = 400 * 24 * 3_600_000;

/**
 * The value of one of our cookies. Null where it is absent, overlong or stands twice: of two nobody knows which
 * one the browser was given by us. Of white space only the one space between pairs (RFC 6265 section 4.2.1) is taken off:
 * to a browser a name behind any other is not one with the prefix `__Host-`, and a neighbouring host may set it.
 */
export function readCookie(c: WebContext, purpose: CookiePurpose): string | null {
  const name = nameOf(c, purpose);
  const values = (c.req.header('Cookie') ?? '')
    .split(';')
    .map((pair) => (pair.startsWith(' ') ? pair.slice(1) : pair))
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && value.length <= valueCharsMax ? value : null;
}

/** Keeps the language of the pages in this browser for 400 days. */
export function keepLanguage(c: WebContext, language: Language): void {
  writeCookie(c, 'language', language, languageKeptMs);
}

/** Sets one of our cookies: for this host alone, out of reach of scripts, not sent along from other sites' forms. `maxAgeMs` null: until the browser closes. */
export function writeCookie(
  c: WebContext,
  purpose: CookiePurpose,
  value: string,
  maxAgeMs: number | null,
): void {
  setCookie(c, nameOf(c, purpose), value, {
    ...attributes(c),
    ...(maxAgeMs === null ? {} : { maxAge: Math.max(0, Math.floor(maxAgeMs / 1_000)) }),
  });
}

/** Takes one of our cookies away. */
export function clearCookie(c: WebContext, purpose: CookiePurpose): void {
  deleteCookie(c, nameOf(c, purpose), attributes(c));
}

function attributes(c: WebContext) {
  const { isSecure } = c.get('visit');
  return { path: '/', httpOnly: true, sameSite: 'Lax', secure: isSecure } as const;
}

function nameOf(c: WebContext, purpose: CookiePurpose): string {
  const secure = purpose === 'session' ? securePrefix : `${securePrefix}-${purpose}`;
  return c.get('visit').isSecure ? secure : plainPrefix + purpose;
}
