import type { SessionId, TokenId, UserId } from '../../core/ids.ts';
import { sitePath } from '../../core/site-path.ts';

/** Addresses of pages, as links and forms name them. */
export const paths = {
  tokens: '/.latchkey/',
  newToken: '/.latchkey/tokens/new',
  revokeSeveral: '/.latchkey/tokens/revoke',
  token: (id: TokenId): string => `${sitePath}/tokens/${id}`,
  copyToken: (id: TokenId): string => `${sitePath}/tokens/new?from=${id}`,
  regenerate: (id: TokenId): string => `${sitePath}/tokens/${id}/regenerate`,
  revoke: (id: TokenId): string => `${sitePath}/tokens/${id}/revoke`,
  switchToken: (id: TokenId): string => `${sitePath}/tokens/${id}/switch`,
  firstUse: (id: TokenId, since: number): string => `${sitePath}/tokens/${id}/first-use?since=${since}`,
  devices: '/.latchkey/devices',
  endSession: (id: SessionId): string => `${sitePath}/devices/${id}/end`,
  endAllSessions: '/.latchkey/devices/end-all',
  account: '/.latchkey/account',
  password: '/.latchkey/account/password',
  language: '/.latchkey/account/language',
  signIn: '/.latchkey/sign-in',
  signInWith: (source: string): string => `${sitePath}/sign-in/${encodeURIComponent(source)}`,
  callback: (source: string): string => `${sitePath}/sign-in/${encodeURIComponent(source)}/callback`,
  signOut: '/.latchkey/sign-out',
  resume: '/.latchkey/confirmed',
  users: '/.latchkey/admin/users',
  newUser: '/.latchkey/admin/users/new',
  user: (id: UserId): string => `${sitePath}/admin/users/${id}`,
  newTokenFor: (id: UserId): string => `${sitePath}/tokens/new?for=${id}`,
  allTokens: '/.latchkey/admin/tokens',
  policy: '/.latchkey/admin/policy',
  audit: '/.latchkey/admin/audit',
  apiPage: '/.latchkey/api/docs',
} as const;

/** Adds parameters to an address; those without a value are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | null | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, value);
  }
  const text = search.toString();
  if (text === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

/**
 * Where to go after signing in: the address asked for where it is a page of ours, else the first page. Nothing that a
 * browser could read as another host comes through.
 */
export function ownAddress(asked: string): string {
  if (!/^\/\.latchkey\/[\x21-\x7e]*$/.test(asked) || asked.includes('\\') || asked.length > 2_000) {
    return paths.tokens;
  }
  const base = 'https://own.invalid';
  if (!URL.canParse(asked, base)) return paths.tokens;
  const { origin, pathname, search } = new URL(asked, base);
  const isPage = origin === base && pathname.startsWith(`${sitePath}/`) && !pathname.startsWith(paths.signIn);
  return isPage ? `${pathname}${search}` : paths.tokens;
}
