import { isRefused } from '../../../management/refused.ts';
import type { TokenManagement } from '../../../management/tokens.ts';
import type { WebRouter } from '../../context.ts';
import type { Guards } from '../guards.ts';
import { readListAsked, toTokenQuery } from '../token-list.ts';
import { renderTokenList } from './list-page.ts';

/** Those that end soon are looked for among so many. */
const endingLookedAt = 20;

/** A person's own tokens: the first page. */
export function addTokenListRoutes(
  router: WebRouter,
  { guards, tokens }: { readonly guards: Guards; readonly tokens: TokenManagement },
): void {
  router.get(
    '/',
    guards.page(async (c, person, frame) => {
      const asked = readListAsked((name) => c.req.query(name));
      const userId = person.user.id;
      const [page, ending, { mayHaveTokens }] = await Promise.all([
        tokens.list(person, { ...toTokenQuery(asked), userId }),
        tokens.list(person, {
          userId,
          state: 'active',
          order: 'expires',
          descending: false,
          limit: endingLookedAt,
        }),
        tokens.policyFor(person),
      ]);
      if (isRefused(page)) return page;
      const endingFirst = isRefused(ending) ? [] : ending.items;
      return c.html(renderTokenList(frame, { asked, page, endingFirst, mayHaveTokens }));
    }),
  );
}
