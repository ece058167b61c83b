import type { UserId } from '../core/ids.ts';
import type { AdminKeyRecord, AdminKeyScope } from '../identity/admin-key-store.ts';
import type { SessionRecord } from '../identity/session-store.ts';
import type { UserRecord } from '../identity/user-store.ts';

/** A signed-in person at a browser. */
export interface Person {
  readonly kind: 'person';
  readonly user: UserRecord;
  readonly session: SessionRecord;
  /** Where this request came from. */
  readonly address: string;
  /** Proved to be there within the last `portal.confirmation` (5 minutes): may change things. */
  readonly isConfirmed: boolean;
}

/** A script with an admin key. */
export interface KeyHolder {
  readonly kind: 'key';
  readonly key: AdminKeyRecord;
  readonly address: string;
}

/** Who asks: everything in this folder begins by asking whether this one may. */
export type Caller = Person | KeyHolder;

/** Whether the caller manages others: a person by role, a key by its scopes. */
export function manages(caller: Caller, scope: AdminKeyScope): boolean {
  return caller.kind === 'key' ? caller.key.scopes.includes(scope) : caller.user.role === 'admin';
}

/** Whether what this caller asks for may change anything now; a key needs no confirmation. */
export function isConfirmed(caller: Caller): boolean {
  return caller.kind === 'key' || caller.isConfirmed;
}

/** Whether this user is the caller itself; a key is nobody. */
export function isSelf(caller: Caller, id: UserId): boolean {
  return caller.kind === 'person' && caller.user.id === id;
}

/** The caller as the audit trail names it: `user:` or `key:` and the name, and where the request came from. */
export function actorOf(caller: Caller): { readonly name: string; readonly address: string } {
  const name = caller.kind === 'key' ? `key:${caller.key.name}` : `user:${caller.user.name}`;
  return { name, address: caller.address };
}
