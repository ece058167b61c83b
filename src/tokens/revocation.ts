import type { Clock } from '../core/clock.ts';
import type { TokenId, UserId } from '../core/ids.ts';
import { hasEndedUnused } from './token-lifetime.ts';
import type { Actor, TokenChanges } from './token-changes.ts';
import type { TokenPatch, TokenRecord, TokenStore } from './token-store.ts';

/** Tokens changed in one transaction at most, so that others get their turn. */
const changedAtOnce = 500;
const gateway: Actor = { name: 'gateway', address: null };

/** Ends tokens for good, few or many. */
export interface TokenRevocation {
  /** Revokes those that exist and are not revoked; resolves to the tokens revoked now. */
  revoke(actor: Actor, ids: readonly TokenId[], why: string): Promise<readonly TokenRecord[]>;
  /** Revokes every token, or those of one user, or those unused since a moment. */
  revokeAll(
    actor: Actor,
    filter: { readonly userId?: UserId; readonly unusedSince?: number },
    why: string,
  ): Promise<readonly TokenRecord[]>;
  /** Revokes what delete-if-unused has ended; resolves to how many. To be called now and then. */
  sweepUnused(): Promise<number>;
}

interface RevocationDeps {
  readonly clock: Clock;
  readonly store: Pick<TokenStore, 'list'>;
  readonly changes: TokenChanges;
}

/** See `TokenRevocation`. */
export function createTokenRevocation({ clock, store, changes }: RevocationDeps): TokenRevocation {
  async function revoke(actor: Actor, ids: readonly TokenId[], why: string): Promise<readonly TokenRecord[]> {
    const revoked: TokenRecord[] = [];
    const edit = revocation(clock.now(), actor, why);
    for (let start = 0; start < ids.length; start += changedAtOnce) {
      const portion = ids.slice(start, start + changedAtOnce);
      revoked.push(...(await changes.change(portion, 'token.revoke', actor, edit)));
    }
    return revoked;
  }

  return {
    revoke,
    async revokeAll(actor, filter, why) {
      const revoked: TokenRecord[] = [];
      // Every round sees only what is left: revoked tokens are not listed.
      for (;;) {
        const found = await store.list({ ...filter, limit: changedAtOnce });
        if (found.length === 0) return revoked;
        const ids = found.map(({ token }) => token.id);
        revoked.push(...(await revoke(actor, ids, why)));
      }
    },
    async sweepUnused() {
      let count = 0;
      for (;;) {
        const now = clock.now();
        const found = await store.list({ endedUnusedAt: now, limit: changedAtOnce });
        const edit = revocation(now, gateway, 'unused');
        const swept = await changes.change(
          found.map(({ token }) => token.id),
          'token.revoke',
          gateway,
          // It may have been changed since it was listed.
          (token) => (hasEndedUnused(token, now) ? edit(token) : null),
        );
        count += swept.length;
        if (swept.length === 0) return count;
      }
    },
  };
}

function revocation(now: number, actor: Actor, why: string): (token: TokenRecord) => TokenPatch | null {
  const patch = { revokedAt: now, revokedBy: actor.name, revokedWhy: why };
  return (token) => (token.revokedAt === null ? patch : null);
}
