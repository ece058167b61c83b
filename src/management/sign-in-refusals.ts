import type { SignInRefusal } from './sign-in.ts';

/** The one no for everybody who is not let in: who it is and what was wrong cannot be told from it. */
export const signInRefused: SignInRefusal = {
  kind: 'refused',
  code: 'sign_in_refused',
  detail: 'Signing in was refused: check what was entered and try again, or ask an administrator.',
};

/** A link that does nothing any more, or never did. */
export const linkUsed: SignInRefusal = {
  kind: 'refused',
  code: 'link_used',
  detail: 'This link has been used, is too old or is not whole: ask for a new one.',
};

/** Too many wrong passwords before this one. */
export function throttled(retryAfterMs: number): SignInRefusal {
  const detail = 'Too many wrong passwords came from here or for this user: wait, then try again.';
  return { kind: 'refused', code: 'throttled', detail, retryAfterMs };
}
