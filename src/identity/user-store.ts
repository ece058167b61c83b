import type { UserId } from '../core/ids.ts';
import type { AuditEvent } from '../telemetry/audit.ts';

/** A person or machine that tokens speak for. */
export interface UserRecord {
  readonly id: UserId;
  /** The login name in its one spelling. */
  readonly name: string;
  /** The name folded for look-ups: two users never share it. */
  readonly nameKey: string;
  /** argon2id in PHC form, or null where the user has no password here. */
  readonly passwordHash: string | null;
  readonly disabled: boolean;
  readonly createdAt: number;
  /** Grows with every change. Starts at 1. */
  readonly version: number;
}

/**
 * The truth about users. Every method throws `Fault('store_unavailable')` where the store cannot be
 * asked; a change is durable, journalled and audited in one transaction when the promise resolves.
 */
export interface UserStore {
  /** By folded name. */
  findByName(nameKey: string): Promise<UserRecord | null>;
  get(id: UserId): Promise<UserRecord | null>;
  list(filter: { readonly limit: number; readonly after?: UserId }): Promise<readonly UserRecord[]>;
  /** Resolves false, changing nothing, where the folded name is taken. */
  insert(user: UserRecord, event: AuditEvent): Promise<boolean>;
  /** Applies the patch with version + 1. Resolves to the new record, or null where there is none. */
  change(
    id: UserId,
    patch: Partial<Pick<UserRecord, 'passwordHash' | 'disabled'>>,
    event: AuditEvent,
  ): Promise<UserRecord | null>;
  /** Removes the user and revokes all its tokens. Resolves to the last record, with its last version, or null. */
  remove(id: UserId, event: AuditEvent): Promise<UserRecord | null>;
}
