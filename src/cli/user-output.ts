import type { UserRecord } from '../identity/user-store.ts';
import { formatMoment } from './moments.ts';
import { renderTable } from './table.ts';

/** A user as `--json` prints it: times in ISO 8601 (UTC), no hash. */
export function userToJson(user: UserRecord): object {
  const { id, name, displayName, email, role, source, disabled, lapsed, mayHaveTokens } = user;
  const time = (moment: number | null): string | null =>
    moment === null ? null : new Date(moment).toISOString();
  return {
    ...{ id, name, displayName, email, role, source, disabled, lapsed, mayHaveTokens },
    hasPassword: user.passwordHash !== null,
    createdAt: time(user.createdAt),
    signedInAt: time(user.signedInAt),
  };
}

/** Users as a table. */
export function renderUsers(users: readonly UserRecord[]): string {
  const rows = users.map((user) => [
    user.name,
    stateOf(user),
    user.passwordHash === null ? 'none' : 'set',
    user.role,
    user.source,
    formatMoment(user.createdAt),
    user.id,
  ]);
  return renderTable(['NAME', 'STATE', 'PASSWORD', 'ROLE', 'SOURCE', 'CREATED', 'ID'], rows);
}

/** Disabled is an admin's word, lapsed the source's. */
function stateOf({ disabled, lapsed }: UserRecord): string {
  if (disabled) return 'disabled';
  return lapsed ? 'lapsed' : 'active';
}
