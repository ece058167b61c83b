import type { Clock } from '../core/clock.ts';
import { Fault } from '../core/errors.ts';
import type { AdminKeyId } from '../core/ids.ts';
import type { RandomBytes } from '../core/random.ts';
import { uuidV7 } from '../core/uuid.ts';
import type { AdminKeyRecord, AdminKeyScope, AdminKeyStore } from '../identity/admin-key-store.ts';
import { digestSecret, isSecretShaped, mintSecret } from '../identity/random-secret.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import { holdsToken } from '../tokens/mint.ts';
import { type ManagementRefusal, refused } from './refused.ts';

/** How every admin key starts. */
const keyPrefix = 'lka_';
const displayChars = keyPrefix.length + 4;
const touchMs = 60_000;
const spanMsMax = 100 * 365 * 24 * 3_600_000;

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

interface AdminKeysDeps {
  readonly store: AdminKeyStore;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

/** See `AdminKeys`. Nothing is cached: a key that is revoked or has expired counts no longer at once. */
export function createAdminKeys({ store, clock, randomBytes }: AdminKeysDeps): AdminKeys {
  return {
    async recognise(value) {
      const secret = value.startsWith(keyPrefix) ? value.slice(keyPrefix.length) : '';
      if (!isSecretShaped(secret)) return null;
      const key = await store.findByDigest(digestSecret(secret));
      const now = clock.now();
      if (key === null || key.revokedAt !== null || (key.expiresAt !== null && key.expiresAt <= now))
        return null;
      if (key.lastUsedAt !== null && Math.abs(now - key.lastUsedAt) < touchMs) return key;
      return (await noteUse(store, key.id, now)) ? { ...key, lastUsedAt: now } : key;
    },
    list: async () => (await store.list()).map(show),
    async create(actor, name, scopes, expiresAt) {
      const now = clock.now();
      const others = await store.list();
      const refusal = keyRefusal(name, scopes, expiresAt, now) ?? nameRefusal(name, others, now);
      if (refusal !== null) return refusal;
      const secret = mintSecret(randomBytes);
      const value = `${keyPrefix}${secret}`;
      const key: AdminKeyRecord = {
        ...{ id: uuidV7(now, randomBytes) as AdminKeyId, name, digest: digestSecret(secret) },
        ...{ prefix: value.slice(0, displayChars), scopes: [...new Set(scopes)] },
        ...{ createdAt: now, createdBy: actor, expiresAt, revokedAt: null, lastUsedAt: null },
      };
      const { id, prefix } = key;
      await store.insert(key, keyEvent('key.create', actor, now, { id, name, prefix, scopes, expiresAt }));
      return { key: show(key), value };
    },
    async revoke(actor, id) {
      const revoked = await store.revoke(id, keyEvent('key.revoke', actor, clock.now(), { id }));
      return revoked === null
        ? refused('not_found', 'There is no such admin key: `latchkey key list` shows them.')
        : show(revoked);
    },
  };
}

/** False where it cannot be written down, which takes nothing from the key. */
async function noteUse(store: AdminKeyStore, id: AdminKeyId, at: number): Promise<boolean> {
  try {
    await store.recordUse(id, at);
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

function keyRefusal(
  name: string,
  scopes: readonly AdminKeyScope[],
  expiresAt: number | null,
  now: number,
): ManagementRefusal | null {
  // The audit trail names keys by it.
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u.test(name) || holdsToken(name) || name.includes(keyPrefix)) {
    const allowed = 'letters, digits, spaces and . _ @ -';
    return refused('bad_request', `An admin key's name has 1 to 64 characters: ${allowed}.`);
  }
  if (scopes.length === 0) {
    return refused('bad_request', 'An admin key needs a scope: users, tokens, audit or verify.');
  }
  if (expiresAt === null || (expiresAt > now && expiresAt - now <= spanMsMax)) return null;
  return refused('bad_request', 'The expiry must lie in the future, at most a century away.');
}

/** Keys that count are told apart by name in the audit trail. */
function nameRefusal(name: string, others: readonly AdminKeyRecord[], now: number): ManagementRefusal | null {
  const counts = (key: AdminKeyRecord): boolean =>
    key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now);
  if (!others.some((key) => key.name === name && counts(key))) return null;
  return refused(
    'conflict',
    `There is already an admin key ${name}: choose another name, or revoke that one.`,
  );
}

function show({ digest: _digest, ...shown }: AdminKeyRecord): ShownAdminKey {
  return shown;
}

function keyEvent(action: string, actor: string, at: number, details: AuditEvent['details']): AuditEvent {
  return { at, action, actor, userId: null, tokenId: null, details };
}
