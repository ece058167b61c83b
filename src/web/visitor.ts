import { isIP } from 'node:net';
import { apiPath } from '../core/site-path.ts';
import type { Language } from '../identity/user-store.ts';
import type { SignIn } from '../management/sign-in.ts';
import type { Visit, WebContext, WireVisit } from './context.ts';
import { keepLanguage, readCookie } from './cookies.ts';
import { csrfToken, visitorSecret } from './csrf.ts';
import { readSessionSecret } from './session-cookie.ts';

/** What the listener's word becomes for pages. `url`: the address that the operator gave us, or null. */
export function visitOf(wire: WireVisit, url: string | null, acceptLanguage: string | undefined): Visit {
  const origin = url ?? `${wire.scheme}://${wire.host}`;
  return {
    address: wire.address,
    userAgent: wire.userAgent,
    requestId: wire.requestId,
    language: preferredLanguage(acceptLanguage),
    origin,
    isSecure: origin.startsWith('https:') || isOwnMachine(origin),
  };
}

/** Whether the API is asked, and no page. */
export function isApi(c: WebContext): boolean {
  return c.req.path === apiPath || c.req.path.startsWith(`${apiPath}/`);
}

/**
 * Finds out who this is: by the session cookie alone. At the API not at all where the request brings an Authorization of
 * its own, so that no request is of two callers; to pages browsers bring what they know of a backend on the same host.
 */
export async function recogniseVisitor(
  c: WebContext,
  wire: WireVisit,
  signIn: Pick<SignIn, 'recognise'>,
): Promise<void> {
  const visit = c.get('visit');
  const isScript = isApi(c) && c.req.header('Authorization') !== undefined;
  const secret = isScript ? null : readSessionSecret(c);
  const person = secret === null ? null : await signIn.recognise(secret, visit);
  const asked = askedLanguage(c.req.query('lang'));
  if (asked !== null) keepLanguage(c, asked);
  const chosen = asked ?? askedLanguage(readCookie(c, 'language')) ?? person?.user.language;
  const language = chosen ?? visit.language;
  c.set('visit', { ...visit, language });
  c.set('person', person);
  wire.userName = person?.user.name ?? null;
  // Scripts send no forms: they are given no cookie to bind them to.
  if (!isScript) c.set('csrf', csrfToken(person === null || secret === null ? visitorSecret(c) : secret));
}

function askedLanguage(text: string | null | undefined): Language | null {
  return text === 'en' || text === 'de' ? text : null;
}

/** The first of our languages that the browser asks for (RFC 9110 section 12.5.4), by its weights; English else. */
function preferredLanguage(acceptLanguage: string | undefined): Language {
  const wishes = (acceptLanguage ?? '')
    .split(',')
    .slice(0, 20)
    .map((wish) => {
      const [tag = '', ...parameters] = wish.split(';').map((part) => part.trim());
      const weight = parameters.find((parameter) => parameter.startsWith('q='));
      return {
        language: tag.slice(0, 2).toLowerCase(),
        weight: weight === undefined ? 1 : Number(weight.slice(2)),
      };
    })
    .filter(({ language, weight }) => (language === 'en' || language === 'de') && weight > 0);
  const best = wishes.toSorted((a, b) => b.weight - a.weight)[0];
  return best?.language === 'de' ? 'de' : 'en';
}

/** Browsers treat their own machine as safe without TLS (Secure Contexts, section 3.1). */
function isOwnMachine(origin: string): boolean {
  const { hostname } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}
