import { tokenState } from '../tokens/token-lifetime.ts';
import type { OwnedToken, TokenRecord } from '../tokens/token-store.ts';
import { formatDuration, formatMoment } from './moments.ts';
import { renderFields, renderTable } from './table.ts';

/** A token as `--json` prints it: times in ISO 8601 (UTC), durations in milliseconds, no digest. */
export function tokenToJson(
  token: TokenRecord,
  userName: string,
  userDisabled: boolean,
  now: number,
): object {
  const time = (moment: number | null): string | null =>
    moment === null ? null : new Date(moment).toISOString();
  return {
    id: token.id,
    user: userName,
    userId: token.userId,
    name: token.name,
    prefix: token.prefix,
    state: tokenState(token, userDisabled, now),
    scopes: token.scopes,
    expiresAt: time(token.expiresAt),
    slidingMs: token.slidingMs,
    until: time(token.until),
    notBefore: time(token.notBefore),
    enabled: token.enabled,
    networks: token.networks,
    deleteUnusedMs: token.deleteUnusedMs,
    createdAt: time(token.createdAt),
    createdBy: token.createdBy,
    createdFrom: token.createdFrom,
    lastUsedAt: time(token.lastUsedAt),
    lastUsedAddress: token.lastUsedAddress,
    lastUsedClient: token.lastUsedClient,
    revokedAt: time(token.revokedAt),
    revokedBy: token.revokedBy,
    revokedWhy: token.revokedWhy,
  };
}

/** Tokens as a table. */
export function renderTokens(tokens: readonly OwnedToken[], now: number): string {
  const rows = tokens.map(({ token, owner }) => [
    token.id,
    owner.name,
    token.name,
    tokenState(token, owner.disabled, now),
    token.expiresAt === null ? 'never' : formatMoment(token.expiresAt),
    token.lastUsedAt === null ? 'never' : formatMoment(token.lastUsedAt),
    token.scopes.join(' '),
  ]);
  return renderTable(['ID', 'USER', 'NAME', 'STATE', 'EXPIRES', 'LAST USED', 'SCOPES'], rows);
}

/** Everything about one token, a line each. */
export function renderToken({ token, owner }: OwnedToken, now: number): string {
  const fields: (readonly [string, string | null])[] = [
    ['id', token.id],
    ['user', owner.name],
    ['name', token.name],
    ['begins with', `${token.prefix}…`],
    ['state', tokenState(token, owner.disabled, now)],
    ['scopes', token.scopes.join(' ')],
    ['expires', token.expiresAt === null ? 'never' : formatMoment(token.expiresAt)],
    ['sliding', token.slidingMs === null ? null : `${formatDuration(token.slidingMs)} after the last use`],
    ['until', token.until === null ? null : formatMoment(token.until)],
    ['not before', token.notBefore === null ? null : formatMoment(token.notBefore)],
    ['networks', token.networks.length === 0 ? 'anywhere' : token.networks.join(' ')],
    [
      'deleted',
      token.deleteUnusedMs === null ? null : `when unused for ${formatDuration(token.deleteUnusedMs)}`,
    ],
    ['created', `${formatMoment(token.createdAt)} by ${token.createdBy}${from(token.createdFrom)}`],
    ['last used', describeUse(token)],
    ['revoked', describeRevocation(token)],
  ];
  return renderFields(fields.filter((field): field is readonly [string, string] => field[1] !== null));
}

function describeUse({ lastUsedAt, lastUsedAddress, lastUsedClient }: TokenRecord): string {
  if (lastUsedAt === null) return 'never';
  return `${formatMoment(lastUsedAt)}${from(lastUsedAddress)}${lastUsedClient === null ? '' : ` with ${lastUsedClient}`}`;
}

function describeRevocation({ revokedAt, revokedBy, revokedWhy }: TokenRecord): string | null {
  if (revokedAt === null) return null;
  return `${formatMoment(revokedAt)} by ${revokedBy ?? 'nobody'}: ${revokedWhy ?? 'no reason'}`;
}

function from(address: string | null): string {
  return address === null ? '' : ` from ${address}`;
}
