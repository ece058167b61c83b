import type { Clock } from '../core/clock.ts';
import type { TokenId, UserId } from '../core/ids.ts';
import type { RandomBytes } from '../core/random.ts';
import { uuidV7 } from '../core/uuid.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import type { Announce } from './announce.ts';
import type { Peppers } from './digest.ts';
import { birthRefusal, editRefusal, enablingRefusal, rotationRefusal } from './policy-check.ts';
import { displayPrefixLength, mintToken } from './mint.ts';
import { createTokenRevocation, type TokenRevocation } from './revocation.ts';
import type { SharedCache } from './shared-cache.ts';
import { type Actor, auditOf, type ChangedToken, createTokenChanges, noToken } from './token-changes.ts';
import { copiedSettings, rotatedLifetime } from './token-lifetime.ts';
import { refuse, settle, type TokenRefusal, type TokenSettings, unsettled } from './token-settings.ts';
import type { TokenRecord, TokenStore } from './token-store.ts';

/** Whom a new token speaks for. */
export interface TokenOwner {
  readonly id: UserId;
  readonly name: string;
  readonly disabled: boolean;
}

/** A token whose value can be read this once. */
export interface MintedToken {
  readonly kind: 'minted';
  readonly token: TokenRecord;
  /** The token itself; nothing keeps it. */
  readonly value: string;
}

/**
 * What can be done to tokens, for every surface alike. Expected refusals are values; the store's faults
 * are thrown. When an operation resolves, the store has the change and it has been announced.
 */
export interface TokenLifecycle extends TokenRevocation {
  create(actor: Actor, owner: TokenOwner, settings: TokenSettings): Promise<MintedToken | TokenRefusal>;
  /** Refused as 'stale' where the token no longer has the version given. */
  edit(
    actor: Actor,
    id: TokenId,
    settings: TokenSettings,
    ifVersion?: number,
  ): Promise<ChangedToken | TokenRefusal>;
  /**
   * A new value for the same token; the old one is dead at once. Settings stay. A sliding window starts
   * anew; a fixed token that has expired needs a new `expiresAt`.
   */
  rotate(actor: Actor, id: TokenId, expiresAt?: number | null): Promise<MintedToken | TokenRefusal>;
  /** A new token of the same owner with the settings of this one, which may be expired or revoked, and changes to them. */
  copySettings(actor: Actor, id: TokenId, changes: TokenSettings): Promise<MintedToken | TokenRefusal>;
  /** `ifVersion` as with `edit`. */
  setEnabled(
    actor: Actor,
    id: TokenId,
    enabled: boolean,
    ifVersion?: number,
  ): Promise<ChangedToken | TokenRefusal>;
}

interface LifecycleDeps {
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly store: TokenStore;
  /** Asked for only where a token is made: all else must work without. Rejects with a Fault. */
  peppers(): Promise<Peppers>;
  readonly announce: Announce;
  readonly shared: SharedCache | null;
}

/** The lifecycle over one store. */
export function createTokenLifecycle(deps: LifecycleDeps): TokenLifecycle {
  const { clock, store } = deps;
  const changes = createTokenChanges(deps);
  return {
    ...createTokenRevocation({ clock, store, changes }),
    create: (actor, owner, settings) => create(deps, actor, owner, settings, {}),
    async edit(actor, id, settings, ifVersion) {
      const owned = await store.get(id);
      if (owned === null) return noToken(id);
      const edit = (token: TokenRecord) => {
        const now = clock.now();
        const fields = settle(token, settings, owned.owner.name, now);
        if ('kind' in fields) return fields;
        return editRefusal(actor.policy, token, fields, owned.owner.name, now) ?? onlyChanges(token, fields);
      };
      return changes.changeOne(id, 'token.edit', actor, edit, ifVersion);
    },
    async rotate(actor, id, expiresAt) {
      const owned = await store.get(id);
      if (owned === null) return noToken(id);
      const { value, ...minted } = await mint(deps);
      const outcome = await changes.changeOne(id, 'token.rotate', actor, (token) => {
        const now = clock.now();
        const lifetime = rotatedLifetime(token, expiresAt, now);
        if ('kind' in lifetime) return lifetime;
        const next = { ...token, ...lifetime };
        return rotationRefusal(actor.policy, next, owned.owner.name, now) ?? { ...minted, ...lifetime };
      });
      return outcome.kind === 'refused' ? outcome : { kind: 'minted', token: outcome.token, value };
    },
    async copySettings(actor, id, wishes) {
      const owned = await store.get(id);
      if (owned === null) return noToken(id);
      const settings = copiedSettings(owned.token, wishes, clock.now());
      return 'kind' in settings ? settings : create(deps, actor, owned.owner, settings, { copyOf: id });
    },
    setEnabled(actor, id, enabled, ifVersion) {
      const action = enabled ? 'token.enable' : 'token.disable';
      const edit = (token: TokenRecord) => {
        if (token.enabled === enabled) return null;
        return (enabled ? enablingRefusal(actor.policy) : null) ?? { enabled };
      };
      return changes.changeOne(id, action, actor, edit, ifVersion);
    },
  };
}

async function create(
  deps: LifecycleDeps,
  actor: Actor,
  owner: TokenOwner,
  settings: TokenSettings,
  origin: AuditEvent['details'],
): Promise<MintedToken | TokenRefusal> {
  if (owner.disabled) {
    const advice =
      actor.policy === undefined
        ? '`latchkey user list` shows which; `latchkey user enable` lets a disabled user in again'
        : 'an administrator can let a disabled user in again';
    return refuse('owner_gone', `The user ${owner.name} is disabled or removed: ${advice}.`);
  }
  const now = deps.clock.now();
  const fields = settle(unsettled, { name: '', scopes: [], ...settings }, owner.name, now);
  if ('kind' in fields) return fields;
  const refusal = birthRefusal(actor.policy, fields, owner.name, now);
  if (refusal !== null) return refusal;
  const { value, ...minted } = await mint(deps);
  const token: TokenRecord = {
    ...fields,
    ...minted,
    id: uuidV7(now, deps.randomBytes) as TokenId,
    userId: owner.id,
    createdAt: now,
    createdBy: actor.name,
    createdFrom: actor.address,
    enabled: actor.policy?.startsEnabled ?? true,
    revokedAt: null,
    revokedBy: null,
    revokedWhy: null,
    lastUsedAt: null,
    lastUsedAddress: null,
    lastUsedClient: null,
    version: 1,
  };
  const event = auditOf('token.create', actor, token, now, { ...origin, scopes: token.scopes });
  await deps.store.insert(token, event);
  return { kind: 'minted', token, value };
}

async function mint(
  deps: LifecycleDeps,
): Promise<Pick<TokenRecord, 'digest' | 'pepperId' | 'prefix'> & { readonly value: string }> {
  const peppers = await deps.peppers();
  const value = mintToken(deps.randomBytes);
  const prefix = value.slice(0, displayPrefixLength);
  return { value, digest: peppers.digest(value), pepperId: peppers.current, prefix };
}

/** Fields that differ, or null where none does. */
function onlyChanges<Fields extends object>(token: TokenRecord, fields: Fields): Partial<Fields> | null {
  const current = new Map<string, unknown>(Object.entries(token));
  const changes = Object.entries(fields).filter(
    ([field, value]) => JSON.stringify(current.get(field)) !== JSON.stringify(value),
  );
  return changes.length === 0 ? null : (Object.fromEntries(changes) as Partial<Fields>);
}
