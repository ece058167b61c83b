import type { AdminKeyId } from '../core/ids.ts';
import type { AdminKeyRecord, AdminKeyScope } from '../identity/admin-key-store.ts';
import type { ManagementRefusal } from './refused.ts';

/** An admin key as it is shown. */
export type ShownAdminKey = Omit<AdminKeyRecord, 'digest'>;

/** A key whose value can be read this once. */
export interface MadeAdminKey {
  readonly key: ShownAdminKey;
  /** `lka_` and 43 characters of base64url. */
  readonly value: string;
}

/** Admin keys: made and revoked at the command line alone, recognised by the API. */
export interface AdminKeys {
  /** The key of this value that counts at this moment, its use noted; null for every other text. */
  recognise(value: string): Promise<AdminKeyRecord | null>;
  list(): Promise<readonly ShownAdminKey[]>;
  create(
    actor: string,
    name: string,
    scopes: readonly AdminKeyScope[],
    expiresAt: number | null,
  ): Promise<MadeAdminKey | ManagementRefusal>;
  revoke(actor: string, id: AdminKeyId): Promise<ShownAdminKey | ManagementRefusal>;
}
