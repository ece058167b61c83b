/** Records as a store is given them, for tests to change where it matters. */
import { randomUUID } from 'node:crypto';
import type { PepperId, SecretDigest, SessionId, TokenDigest, TokenId, UserId } from '../../src/core/ids.ts';
import { systemRandom } from '../../src/core/random.ts';
import { uuidV7 } from '../../src/core/uuid.ts';
import type { SessionRecord } from '../../src/identity/session-store.ts';
import { localSource, type UserRecord } from '../../src/identity/user-store.ts';
import type { AuditEvent } from '../../src/telemetry/audit.ts';
import type { TokenRecord } from '../../src/tokens/token-store.ts';

/** When all records were made. */
export const epoch: number = Date.UTC(2026, 0, 1);
let made = 0;

/** A user as a store is given it. */
export function userRecord(name: string, fields: Partial<UserRecord> = {}): UserRecord {
  return {
    id: uuidV7(epoch + made++, systemRandom) as UserId,
    name,
    nameKey: name.toLowerCase(),
    displayName: null,
    email: null,
    language: null,
    role: 'user',
    source: localSource,
    subject: null,
    passwordHash: null,
    disabled: false,
    lapsed: false,
    mayHaveTokens: null,
    createdAt: epoch,
    signedInAt: null,
    sourceGrant: null,
    sourceCheckedAt: null,
    version: 1,
    ...fields,
  };
}

/** A token as a store is given it. */
export function tokenRecord(userId: UserId, fields: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: uuidV7(epoch + made++, systemRandom) as TokenId,
    userId,
    name: 'phone',
    digest: randomUUID() as string as TokenDigest,
    pepperId: 'p1' as PepperId,
    prefix: 'lk_abcd',
    scopes: ['path:/a/:r', 'route:b:rw'],
    createdAt: epoch,
    createdBy: 'test',
    createdFrom: null,
    expiresAt: null,
    slidingMs: null,
    until: null,
    notBefore: null,
    enabled: true,
    networks: ['192.0.2.0/24'],
    deleteUnusedMs: null,
    revokedAt: null,
    revokedBy: null,
    revokedWhy: null,
    lastUsedAt: null,
    lastUsedAddress: null,
    lastUsedClient: null,
    version: 1,
    ...fields,
  };
}

/** An audit event of this action. */
export function auditEvent(
  action: string,
  ids: Partial<Pick<AuditEvent, 'userId' | 'tokenId'>> = {},
): AuditEvent {
  return { at: epoch, action, actor: 'test', userId: null, tokenId: null, details: { a: 1 }, ...ids };
}

/** A session as a store is given it. */
export function sessionRecord(userId: UserId, fields: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id: uuidV7(epoch + made++, systemRandom) as SessionId,
    userId,
    secretDigest: randomUUID() as string as SecretDigest,
    source: localSource,
    createdAt: epoch,
    seenAt: epoch,
    endsAt: epoch + 3_600_000,
    confirmedAt: null,
    address: '192.0.2.1',
    client: 'a browser',
    draft: null,
    signOut: null,
    ...fields,
  };
}
