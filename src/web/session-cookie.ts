import type { WebContext } from './context.ts';
import { clearCookie, readCookie, writeCookie } from './cookies.ts';

/** The secret of the session that this browser holds, or null. */
export function readSessionSecret(c: WebContext): string | null {
  return readCookie(c, 'session');
}

/** Hands the browser a session's secret. `endsAt`: epoch milliseconds. */
export function setSessionCookie(c: WebContext, secret: string, endsAt: number, now: number): void {
  writeCookie(c, 'session', secret, endsAt - now);
}

/** Takes the session away from this browser; ending it is another matter. */
export function clearSessionCookie(c: WebContext): void {
  clearCookie(c, 'session');
}
