import type { AdminKeyId, SecretDigest } from '../core/ids.ts';
import type { AuditEvent } from '../telemetry/audit.ts';

/** What admin keys can be for: `verify` manages nothing, but asks whether a credential counts. */
export const adminKeyScopes = ['users', 'tokens', 'audit', 'verify'] as const;

/** What an admin key is for. */
export type AdminKeyScope = (typeof adminKeyScopes)[number];

/** A key by which a script manages others' tokens. Times are epoch milliseconds; the value is never here. */
export interface AdminKeyRecord {
  readonly id: AdminKeyId;
  readonly name: string;
  readonly digest: SecretDigest;
  /** The first characters, for people to recognise it. */
  readonly prefix: string;
  readonly scopes: readonly AdminKeyScope[];
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** Written at most once a minute. */
  readonly lastUsedAt: number | null;
}

/** The truth about admin keys. Throws `Fault('store_unavailable')` where the store cannot be asked. */
export interface AdminKeyStore {
  findByDigest(digest: SecretDigest): Promise<AdminKeyRecord | null>;
  /** All of them, newest first; they are few. */
  list(): Promise<readonly AdminKeyRecord[]>;
  insert(key: AdminKeyRecord, event: AuditEvent): Promise<void>;
  /** Resolves to the key as it is then, or null where there is none. Revoking twice changes nothing. */
  revoke(id: AdminKeyId, event: AuditEvent): Promise<AdminKeyRecord | null>;
  recordUse(id: AdminKeyId, at: number): Promise<void>;
}
