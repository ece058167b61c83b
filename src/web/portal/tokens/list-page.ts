import type { Page } from '../../../core/page.ts';
import type { ShownToken } from '../../../management/tokens.ts';
import type { Frame } from '../frame.ts';
import { renderPage } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { paths } from '../paths.ts';
import {
  isNarrowed,
  type ListAsked,
  listAddress,
  pageLinks,
  sortableHead,
  tokenFilter,
} from '../token-list.ts';
import { tokenTable } from '../token-table.ts';
import { endsSoonMs } from '../token-words.ts';

/** What the list of a person's own tokens shows. */
export interface TokenList {
  readonly asked: ListAsked;
  readonly page: Page<ShownToken>;
  /** Active ones, those that end first before others. */
  readonly endingFirst: readonly ShownToken[];
  readonly mayHaveTokens: boolean;
}

/** My tokens: the first page after signing in. */
export function renderTokenList(frame: Frame, list: TokenList): Markup {
  const { tokens: words } = frame.texts;
  const isEmpty = list.page.items.length === 0 && !isNarrowed(list.asked) && list.asked.after === '';
  return renderPage(frame, {
    title: words.title,
    section: 'tokens',
    body: html`<div class="head"><h1>${words.title}</h1>${
      list.mayHaveTokens &&
      !isEmpty &&
      html`<a class="button primary" href="${paths.newToken}">${words.new}</a>`
    }</div>
${expiryBanner(frame, list.endingFirst)}
${!list.mayHaveTokens && html`<p class="message">${words.mayNot}</p>`}
${isEmpty ? emptyState(frame, list.mayHaveTokens) : filledState(frame, list)}`,
  });
}

function filledState(frame: Frame, { asked, page }: TokenList): Piece {
  const { tokens: words } = frame.texts;
  const filter = tokenFilter(frame, paths.tokens, asked);
  if (page.items.length === 0) {
    return html`${filter}<div class="card stack-s"><h2>${words.noMatch}</h2><p>${words.noMatchHint}</p><p><a href="${paths.tokens}">${words.clearSearch}</a></p></div>`;
  }
  return html`${filter}
${tokenTable(frame, {
  tokens: page.items,
  showsOwner: false,
  next: listAddress(paths.tokens, asked),
  head: sortableHead(frame, paths.tokens, asked),
})}
${pageLinks(frame, paths.tokens, asked, page)}`;
}

function emptyState({ texts }: Frame, mayHaveTokens: boolean): Piece {
  const { empty } = texts.tokens;
  return html`<section class="card empty">
<h2>${empty.title}</h2>
<p>${empty.what}</p>
<p>${empty.how}</p>
${mayHaveTokens && html`<a class="button primary" href="${paths.newToken}">${empty.button}</a>`}
</section>`;
}

/** Names at most three tokens that end within a week. */
function expiryBanner(frame: Frame, endingFirst: readonly ShownToken[]): Piece {
  const { texts, now, moments } = frame;
  const soon = endingFirst.filter(({ expiresAt }) => expiresAt !== null && expiresAt - now <= endsSoonMs);
  if (soon.length === 0) return null;
  const rest = soon.length - 3;
  return html`<div class="message warn" role="status"><h2>${texts.tokens.banner(soon.length)}</h2>
<ul>${soon.slice(0, 3).map(({ id, name, expiresAt }) => html`<li><a href="${paths.token(id)}">${name}</a>, ${moments.relativeTag(expiresAt ?? now, now)}</li>`)}${
    rest > 0 && html`<li>${texts.tokens.bannerMore(rest)}</li>`
  }</ul></div>`;
}
