import type { Change } from '../core/change.ts';
import type { Clock } from '../core/clock.ts';
import type { UserId } from '../core/ids.ts';
import type { RandomBytes } from '../core/random.ts';
import { foldUserName } from '../core/user-name.ts';
import { uuidV7 } from '../core/uuid.ts';
import type { SourceIdentity } from '../identity/source.ts';
import { checkDisplayName, checkEmail } from '../identity/user-fields.ts';
import { checkUserName } from '../identity/user-name.ts';
import type { UserPatch, UserRecord, UserStore } from '../identity/user-store.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import type { Log } from '../telemetry/log.ts';

/** Turns what a source vouches for into a user of ours. */
export interface Provisioning {
  /**
   * The user whom this source calls so, made where there is none and brought up to date: display name and mail where
   * it says them, role where it decides that, and no longer lapsed. Null where nobody may come in by it: disabled by an
   * admin, or the login name cannot be used or belongs to somebody else. Why is told to the log.
   */
  welcome(source: string, identity: SourceIdentity): Promise<UserRecord | null>;
}

interface ProvisioningDeps {
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly store: Pick<UserStore, 'findBySubject' | 'findByName' | 'insert' | 'change' | 'recordCheck'>;
  /** Makes a committed change known to this process and others. */
  readonly announce: (changes: readonly Change[]) => Promise<void>;
  readonly holdsToken: (text: string) => boolean;
  /** Seals a grant before it is kept. */
  readonly sealGrant: (grant: string) => string;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** See `Provisioning`. */
export function createProvisioning(deps: ProvisioningDeps): Provisioning {
  const { clock, store, log } = deps;

  async function refresh(user: UserRecord, identity: SourceIdentity): Promise<UserRecord | null> {
    if (user.disabled) {
      log.info({ userId: user.id, source: user.source }, 'sign-in refused: an admin has disabled this user');
      return null;
    }
    const patch = differences(user, identity);
    if (Object.keys(patch).length === 0) return user;
    const event = audit(clock, 'user.source', user, { ...patch });
    const changed = await store.change(user.id, patch, event);
    if (changed === null) return null;
    await deps.announce([{ kind: 'user', userId: changed.id, version: changed.version }]);
    // An admin may have decided while we were reading.
    return changed.disabled ? null : changed;
  }

  async function add(source: string, identity: SourceIdentity): Promise<UserRecord | null> {
    const id = uuidV7(clock.now(), deps.randomBytes) as UserId;
    const checked = checkUserName(identity.userName ?? id);
    if ('problem' in checked || deps.holdsToken(checked.name)) {
      const problem = 'problem' in checked ? checked.problem : 'It holds a token.';
      log.warn({ source, problem }, 'sign-in refused: the login name from the source cannot be used');
      return null;
    }
    const user = newUser(id, checked.name, source, identity, clock.now());
    const sealed = identity.grant === null ? null : deps.sealGrant(identity.grant);
    const record = { ...user, sourceGrant: sealed };
    const details = { name: user.name, source, role: user.role };
    if (await store.insert(record, audit(clock, 'user.provision', user, details))) return record;
    const owner = await store.findByName(user.nameKey);
    // Two sign-ins of one new person at once: the other one was quicker.
    if (owner?.source === source && owner.subject === identity.subject) return refresh(owner, identity);
    log.warn(
      { source, name: user.name, takenBy: owner?.source ?? null, userId: owner?.id ?? null },
      'sign-in refused: the login name belongs to another user; remove or rename one of them',
    );
    return null;
  }

  return {
    async welcome(source, identity) {
      const known = await store.findBySubject(source, identity.subject);
      if (known === null) return add(source, identity);
      const user = await refresh(known, identity);
      if (user !== null) {
        const grant = identity.grant === null ? undefined : deps.sealGrant(identity.grant);
        await store.recordCheck(user.id, clock.now(), grant);
      }
      return user;
    },
  };
}

/** What the source says otherwise by now; what it says nothing of stays. */
function differences(user: UserRecord, identity: SourceIdentity): UserPatch {
  const { displayName, email } = readable(identity);
  const role = identity.isAdmin === null ? user.role : identity.isAdmin ? 'admin' : 'user';
  return {
    ...(displayName === null || displayName === user.displayName ? {} : { displayName }),
    ...(email === null || email === user.email ? {} : { email }),
    ...(role === user.role ? {} : { role }),
    ...(user.lapsed ? { lapsed: false } : {}),
  };
}

/** What is shown to people, in the form in which it is kept; null where that cannot be. */
function readable({ displayName, email }: SourceIdentity): Pick<UserRecord, 'displayName' | 'email'> {
  const name = checkDisplayName(displayName);
  const address = checkEmail(email);
  return {
    displayName: 'value' in name ? name.value : null,
    email: 'value' in address ? address.value : null,
  };
}

function newUser(
  id: UserId,
  name: string,
  source: string,
  identity: SourceIdentity,
  now: number,
): UserRecord {
  return {
    ...{ id, name, nameKey: foldUserName(name), source, subject: identity.subject },
    ...{ ...readable(identity), language: null },
    role: identity.isAdmin === true ? 'admin' : 'user',
    ...{ passwordHash: null, disabled: false, lapsed: false, mayHaveTokens: null },
    ...{ createdAt: now, signedInAt: null, sourceGrant: null, sourceCheckedAt: now, version: 1 },
  };
}

function audit(
  clock: Clock,
  action: string,
  user: Pick<UserRecord, 'id' | 'source'>,
  details: AuditEvent['details'],
): AuditEvent {
  return { at: clock.now(), action, actor: `source:${user.source}`, userId: user.id, tokenId: null, details };
}
