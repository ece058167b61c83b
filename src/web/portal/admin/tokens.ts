import { manages } from '../../../management/caller.ts';
import { isRefused, notAllowed } from '../../../management/refused.ts';
import type { TokenManagement } from '../../../management/tokens.ts';
import type { WebRouter } from '../../context.ts';
import type { Guards } from '../guards.ts';
import { renderPage } from '../layout.ts';
import { html } from '../markup.ts';
import { paths } from '../paths.ts';
import {
  isNarrowed,
  listAddress,
  pageLinks,
  readListAsked,
  sortableHead,
  tokenFilter,
  toTokenQuery,
} from '../token-list.ts';
import { tokenTable } from '../token-table.ts';

/** The tokens of everybody, for admins. */
export function addAllTokenRoutes(
  router: WebRouter,
  { guards, tokens }: { readonly guards: Guards; readonly tokens: TokenManagement },
): void {
  router.get(
    '/admin/tokens',
    guards.page(async (c, person, frame) => {
      if (!manages(person, 'tokens')) return notAllowed;
      const asked = readListAsked((name) => c.req.query(name));
      const page = await tokens.list(person, toTokenQuery(asked));
      if (isRefused(page)) return page;
      const { admin: words, tokens: list } = frame.texts;
      const none = isNarrowed(asked) ? list.noMatch : words.noTokens;
      const head = sortableHead(frame, paths.allTokens, asked);
      const next = listAddress(paths.allTokens, asked);
      const view = {
        title: words.tokensTitle,
        section: 'allTokens',
        body: html`<div><h1>${words.tokensTitle}</h1><p class="lead">${words.tokensLead}</p></div>
${tokenFilter(frame, paths.allTokens, asked)}
${page.items.length === 0 ? html`<p class="card">${none}</p>` : tokenTable(frame, { tokens: page.items, showsOwner: true, next, head })}
${pageLinks(frame, paths.allTokens, asked, page)}`,
      } as const;
      return c.html(renderPage(frame, view));
    }),
  );
}
