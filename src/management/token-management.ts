import type { Clock } from '../core/clock.ts';
import type { TokenId, UserId } from '../core/ids.ts';
import { isShutOut, type UserStore } from '../identity/user-store.ts';
import type { MintedToken, TokenLifecycle } from '../tokens/lifecycle.ts';
import { holdsToken } from '../tokens/mint.ts';
import type { OwnerPolicy, TokenPolicy } from '../tokens/policy.ts';
import { checkPolicy } from '../tokens/policy-check.ts';
import type { PolicyStore } from '../tokens/policy-store.ts';
import type { Actor, ChangedToken } from '../tokens/token-changes.ts';
import { tokenState } from '../tokens/token-lifetime.ts';
import type { TokenRefusal } from '../tokens/token-settings.ts';
import type { OwnedToken, TokenRecord, TokenStore } from '../tokens/token-store.ts';
import { actorOf, type Caller, isConfirmed, isSelf, manages } from './caller.ts';
import {
  confirmationNeeded,
  isRefused,
  type ManagementRefusal,
  noSuchToken,
  noSuchUser,
  notAllowed,
  pageRefusal,
  refused,
  type Refused,
} from './refused.ts';
import type { FreshToken, ShownToken, TokenManagement } from './tokens.ts';

const revokedAtOnceMax = 1_000;
const whyCharsMax = 200;

interface TokenManagementDeps {
  readonly clock: Clock;
  readonly lifecycle: TokenLifecycle;
  readonly tokens: Pick<TokenStore, 'get' | 'search'>;
  readonly users: Pick<UserStore, 'get'>;
  readonly policies: PolicyStore;
}

/** See `TokenManagement`. */
export function createTokenManagement(deps: TokenManagementDeps): TokenManagement {
  const { clock, lifecycle, tokens, policies } = deps;

  /** The token where it is the caller's to see. */
  async function visible(caller: Caller, id: TokenId): Promise<OwnedToken | ManagementRefusal> {
    const isManager = manages(caller, 'tokens');
    if (caller.kind === 'key' && !isManager) return notAllowed;
    const owned = await tokens.get(id);
    return owned !== null && (isManager || isSelf(caller, owned.owner.id)) ? owned : noSuchToken;
  }

  const changeable = async (caller: Caller, id: TokenId): Promise<OwnedToken | ManagementRefusal> =>
    isConfirmed(caller) ? visible(caller, id) : confirmationNeeded;

  /** Who changes a token of this owner, and what it is held to. */
  async function boundActor(caller: Caller, ownerId: UserId): Promise<Actor> {
    return { ...actorOf(caller), policy: await ownerPolicy(deps, ownerId) };
  }

  function show(token: TokenRecord, owner: Pick<OwnedToken['owner'], 'name' | 'disabled'>): ShownToken {
    const { digest: _digest, pepperId: _pepperId, ...shown } = token;
    return { ...shown, ownerName: owner.name, state: tokenState(token, owner.disabled, clock.now()) };
  }

  const changed = (outcome: ChangedToken | TokenRefusal, { owner }: OwnedToken): ShownToken | Refused =>
    outcome.kind === 'refused' ? toRefused(outcome) : show(outcome.token, owner);

  const fresh = (
    outcome: MintedToken | TokenRefusal,
    owner: Pick<OwnedToken['owner'], 'name' | 'disabled'>,
  ): FreshToken | Refused =>
    outcome.kind === 'refused'
      ? toRefused(outcome)
      : { token: show(outcome.token, owner), value: outcome.value };

  return {
    async list(caller, query) {
      const isManager = manages(caller, 'tokens');
      if (caller.kind === 'key' && !isManager) return notAllowed;
      const bad = pageRefusal(query);
      if (bad !== null) return bad;
      if (!isManager && query.userId !== undefined && !isSelf(caller, query.userId)) return noSuchUser;
      const own = isManager || caller.kind === 'key' ? {} : { userId: caller.user.id };
      const page = await tokens.search({ ...query, ...own }, clock.now());
      return { ...page, items: page.items.map(({ token, owner }) => show(token, owner)) };
    },
    async get(caller, id) {
      const owned = await visible(caller, id);
      return isRefused(owned) ? owned : show(owned.token, owned.owner);
    },
    async create(caller, ownerId, settings) {
      if (!isConfirmed(caller)) return confirmationNeeded;
      const isManager = manages(caller, 'tokens');
      if (caller.kind === 'key' && !isManager) return notAllowed;
      if (!isManager && !isSelf(caller, ownerId)) return noSuchUser;
      const user = await deps.users.get(ownerId);
      if (user === null) return noSuchUser;
      const owner = { id: user.id, name: user.name, disabled: isShutOut(user) };
      return fresh(await lifecycle.create(await boundActor(caller, ownerId), owner, settings), owner);
    },
    async edit(caller, id, settings, ifVersion) {
      const owned = await changeable(caller, id);
      if (isRefused(owned)) return owned;
      const actor = await boundActor(caller, owned.owner.id);
      return changed(await lifecycle.edit(actor, id, settings, ifVersion), owned);
    },
    async regenerate(caller, id, expiresAt) {
      const owned = await changeable(caller, id);
      if (isRefused(owned)) return owned;
      const actor = await boundActor(caller, owned.owner.id);
      return fresh(await lifecycle.rotate(actor, id, expiresAt), owned.owner);
    },
    async copy(caller, id, changes) {
      const owned = await changeable(caller, id);
      if (isRefused(owned)) return owned;
      const actor = await boundActor(caller, owned.owner.id);
      return fresh(await lifecycle.copySettings(actor, id, changes), owned.owner);
    },
    async setEnabled(caller, id, enabled, ifVersion) {
      const owned = await changeable(caller, id);
      if (isRefused(owned)) return owned;
      const actor = await boundActor(caller, owned.owner.id);
      return changed(await lifecycle.setEnabled(actor, id, enabled, ifVersion), owned);
    },
    async revoke(caller, id, why) {
      const reason = readReason(why);
      if (isRefused(reason)) return reason;
      const owned = await changeable(caller, id);
      if (isRefused(owned)) return owned;
      await lifecycle.revoke(actorOf(caller), [id], reason.why);
      // Read anew: it may have been revoked before, by whom it then says.
      const now = (await tokens.get(id)) ?? owned;
      return show(now.token, now.owner);
    },
    async revokeMany(caller, ids, why) {
      if (!isConfirmed(caller)) return confirmationNeeded;
      const reason = readReason(why);
      if (isRefused(reason)) return reason;
      if (ids.length > revokedAtOnceMax) {
        return refused('bad_request', `At most ${revokedAtOnceMax} tokens are revoked at once: name fewer.`);
      }
      const owners = new Map<TokenId, OwnedToken['owner']>();
      for (const id of ids) {
        const owned = await visible(caller, id);
        if (isRefused(owned)) return owned;
        owners.set(id, owned.owner);
      }
      const revoked = await lifecycle.revoke(actorOf(caller), [...owners.keys()], reason.why);
      return revoked.flatMap((token) => {
        const owner = owners.get(token.id);
        return owner === undefined ? [] : [show(token, owner)];
      });
    },
    async policyFor(caller) {
      const { policy } = await policies.read();
      return { policy, mayHaveTokens: caller.kind === 'person' && mayHaveTokens(caller.user, policy) };
    },
    readPolicy: async (caller) => (manages(caller, 'tokens') ? policies.read() : notAllowed),
    async replacePolicy(caller, wished, ifVersion) {
      if (!isConfirmed(caller)) return confirmationNeeded;
      if (!manages(caller, 'tokens')) return notAllowed;
      const policy = checkPolicy(wished);
      if (typeof policy === 'string') return refused('bad_request', policy);
      const { name, address } = actorOf(caller);
      const event = { at: clock.now(), action: 'policy.replace', actor: name, userId: null, tokenId: null };
      const kept = await policies.replace(policy, ifVersion, { ...event, details: { address, ...policy } });
      return kept ?? refused('stale', 'The policy has been changed meanwhile: look at it again.');
    },
  };
}

/** Of a removed user nothing can be made any more. */
async function ownerPolicy({ users, policies }: TokenManagementDeps, id: UserId): Promise<OwnerPolicy> {
  const [{ policy }, owner] = [await policies.read(), await users.get(id)];
  return { ...policy, mayHaveTokens: owner !== null && mayHaveTokens(owner, policy) };
}

function mayHaveTokens(user: { readonly mayHaveTokens: boolean | null }, policy: TokenPolicy): boolean {
  return user.mayHaveTokens ?? policy.everybodyMayHaveTokens;
}

function toRefused(refusal: TokenRefusal): Refused {
  return refusal.code === 'no_token' ? noSuchToken : refusal;
}

function readReason(why: string | undefined): { readonly why: string } | ManagementRefusal {
  if (why === undefined || why.trim() === '') return { why: 'by hand' };
  const isUsable =
    Array.from(why).length <= whyCharsMax && !/[\p{C}\p{Zl}\p{Zp}]/u.test(why) && !holdsToken(why);
  if (isUsable) return { why };
  return refused(
    'bad_request',
    `A reason has at most ${whyCharsMax} printable characters and holds no token.`,
  );
}
