import type { UserId } from '../core/ids.ts';
import type { UserStore } from '../identity/user-store.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import type { AuditReading } from './audit.ts';
import { manages } from './caller.ts';
import { noSuchUser, notAllowed, pageRefusal } from './refused.ts';

interface AuditReadingDeps {
  readonly tokens: Pick<TokenStore, 'searchAudit'>;
  readonly users: Pick<UserStore, 'namesOf'>;
}

/** See `AuditReading`. */
export function createAuditReading({ tokens, users }: AuditReadingDeps): AuditReading {
  return {
    async list(caller, query) {
      const isManager = manages(caller, 'audit');
      if (caller.kind === 'key' && !isManager) return notAllowed;
      const bad = pageRefusal(query);
      if (bad !== null) return bad;
      const own = isManager || caller.kind === 'key' ? null : caller.user.id;
      if (own !== null && query.userId !== undefined && query.userId !== own) return noSuchUser;
      const page = await tokens.searchAudit(own === null ? query : { ...query, userId: own });
      const ids = new Set(page.items.flatMap(({ userId }): UserId[] => (userId === null ? [] : [userId])));
      const names = await users.namesOf([...ids]);
      const items = page.items.map((event) => ({
        ...event,
        userName: event.userId === null ? null : (names.get(event.userId) ?? null),
      }));
      return { ...page, items };
    },
  };
}
