import type { Clock } from '../core/clock.ts';
import type { TokenId } from '../core/ids.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import type { Announce } from './announce.ts';
import type { OwnerPolicy } from './policy.ts';
import type { SharedCache } from './shared-cache.ts';
import { refuse, type TokenRefusal } from './token-settings.ts';
import type { TokenPatch, TokenRecord, TokenStore } from './token-store.ts';
import { sharedTokenKey } from './verify.ts';

/** Who does it, for the audit trail. */
export interface Actor {
  /** `cli:root`, later a user. */
  readonly name: string;
  /** The address it came from, null where not over the network. */
  readonly address: string | null;
  /** What the token's owner is held to; absent at the command line, which is not bound. */
  readonly policy?: OwnerPolicy;
}

/** A token after a change; `changed` false where it already was as wished. */
export interface ChangedToken {
  readonly kind: 'changed';
  readonly token: TokenRecord;
  readonly changed: boolean;
}

/** What to do with one token: a patch, an expected no, or null to leave it. Has no effects: it may be asked twice. */
export type Edit = (token: TokenRecord) => TokenPatch | TokenRefusal | null;

/** Changes tokens in the store and then tells everyone who may have cached them. */
export interface TokenChanges {
  /** Resolves to the tokens that did change. */
  change(ids: readonly TokenId[], action: string, actor: Actor, edit: Edit): Promise<readonly TokenRecord[]>;
  /** The same for one token that must exist, not be revoked, and have this version where one is given. */
  changeOne(
    id: TokenId,
    action: string,
    actor: Actor,
    edit: Edit,
    ifVersion?: number,
  ): Promise<ChangedToken | TokenRefusal>;
}

interface ChangesDeps {
  readonly clock: Clock;
  readonly store: TokenStore;
  readonly announce: Announce;
  readonly shared: SharedCache | null;
}

/** See `TokenChanges`. */
export function createTokenChanges({ clock, store, announce, shared }: ChangesDeps): TokenChanges {
  async function run(ids: readonly TokenId[], action: string, actor: Actor, edit: Edit) {
    let refusal: TokenRefusal | null = null;
    const outcomes = await store.change(ids, (token) => {
      const patch = edit(token);
      refusal = patch !== null && 'kind' in patch ? patch : null;
      if (patch === null || 'kind' in patch) return null;
      return { patch, event: auditOf(action, actor, token, clock.now(), toDetails(patch)) };
    });
    const changed = outcomes.filter(({ before, after }) => before !== after);
    await announce(
      changed.map(({ after }) => ({ kind: 'token', tokenId: after.id, version: after.version })),
    );
    if (changed.length > 0) {
      await shared?.delete(changed.map(({ before }) => sharedTokenKey(store.realm, before.digest)));
    }
    return { outcomes, changed: changed.map(({ after }) => after), refusal: refusal as TokenRefusal | null };
  }

  return {
    change: async (ids, action, actor, edit) => (await run(ids, action, actor, edit)).changed,
    async changeOne(id, action, actor, edit, ifVersion) {
      const { outcomes, changed, refusal } = await run([id], action, actor, (token) => {
        if (token.revokedAt !== null) return refuse('revoked', 'The token is revoked: make a new one.');
        if (ifVersion !== undefined && ifVersion !== token.version) {
          return refuse('stale', 'The token has been changed meanwhile: look at it again.');
        }
        return edit(token);
      });
      const token = outcomes[0]?.after;
      if (token === undefined) return noToken(id);
      return refusal ?? { kind: 'changed', token, changed: changed.length > 0 };
    },
  };
}

/** The refusal for an id that the store does not know. */
export function noToken(id: TokenId): TokenRefusal {
  return refuse('no_token', `There is no token ${id}.`);
}

/** The audit event of something done to a token. */
export function auditOf(
  action: string,
  actor: Actor,
  token: TokenRecord,
  at: number,
  details: AuditEvent['details'],
): AuditEvent {
  const where = actor.address === null ? {} : { address: actor.address };
  const facts = { name: token.name, ...where, ...details };
  return { at, action, actor: actor.name, userId: token.userId, tokenId: token.id, details: facts };
}

/** What the audit trail keeps of a patch: no digest. */
function toDetails(patch: TokenPatch): AuditEvent['details'] {
  const { digest: _digest, pepperId: _pepperId, ...plain } = patch;
  return plain;
}
