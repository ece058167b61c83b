import type { Page } from '../../core/page.ts';
import type { TokenOrder, TokenQuery } from '../../tokens/token-store.ts';
import { selectField, textField } from './fields.ts';
import type { Frame } from './frame.ts';
import { html, type Markup, type Piece } from './markup.ts';
import { withQuery } from './paths.ts';

const states = ['active', 'off', 'expired', 'revoked'] as const;
const orders: readonly TokenOrder[] = ['created', 'name', 'used', 'expires'];
/** Names and ends from the first on, the rest from the latest. */
const descendsByNature: Readonly<Record<TokenOrder, boolean>> = {
  created: true,
  name: false,
  used: true,
  expires: false,
};
const pageSize = 50;
const textCharsMax = 200;

/** What a list of tokens was asked for, as its address says. */
export interface ListAsked {
  readonly text: string;
  readonly state: (typeof states)[number] | '';
  readonly order: TokenOrder;
  readonly descending: boolean;
  readonly after: string;
}

/** Reads the address of a list; what cannot be understood counts as not asked for. */
export function readListAsked(query: (name: string) => string | undefined): ListAsked {
  const order = orders.find((one) => one === query('order')) ?? 'created';
  const direction = query('dir');
  return {
    text: (query('q') ?? '').trim().slice(0, textCharsMax),
    state: states.find((one) => one === query('state')) ?? '',
    order,
    descending: direction === undefined ? descendsByNature[order] : direction === 'down',
    after: query('after') ?? '',
  };
}

/** The question to the management. */
export function toTokenQuery({ text, state, order, descending, after }: ListAsked): TokenQuery {
  return {
    ...{ order, descending, limit: pageSize },
    ...(text === '' ? {} : { text }),
    ...(state === '' ? {} : { state }),
    ...(after === '' ? {} : { after }),
  };
}

/** Whether the list shows less than everything. */
export function isNarrowed({ text, state }: ListAsked): boolean {
  return text !== '' || state !== '';
}

/** The form that searches and sorts. */
export function tokenFilter(frame: Frame, action: string, asked: ListAsked): Markup {
  const { filter } = frame.texts.tokens;
  return html`<form method="get" action="${action}" role="search" aria-label="${filter.label}" class="inline">
${textField({ name: 'q', label: filter.search, value: asked.text, type: 'search', maxLength: textCharsMax, className: 'grow' })}
${selectField({
  name: 'state',
  label: filter.state,
  value: asked.state,
  options: [['', filter.all], ...states.map((state) => [state, filter[state]] as const)],
})}
${selectField({
  name: 'order',
  label: filter.order,
  value: asked.order,
  options: [
    ['created', filter.byCreated],
    ['name', filter.byName],
    ['used', filter.byUsed],
    ['expires', filter.byExpires],
  ],
})}
<button class="button">${filter.apply}</button>
</form>`;
}

/** Draws the heads of columns that the list can be sorted by. */
export function sortableHead(
  frame: Frame,
  action: string,
  asked: ListAsked,
): (column: 'name' | 'used' | 'expires') => Piece {
  return (column) => {
    const isSorted = asked.order === column;
    const descends = isSorted ? !asked.descending : descendsByNature[column];
    const href = listAddress(action, { ...asked, order: column, descending: descends, after: '' });
    const sorted = isSorted && (asked.descending ? 'descending' : 'ascending');
    const arrow = isSorted && (asked.descending ? '↓' : '↑');
    return html`<th role="columnheader" scope="col"${sorted !== false && html` aria-sort="${sorted}"`}><a href="${href}">${frame.texts.tokens.column[column]}</a>${arrow !== false && html` <span aria-hidden="true">${arrow}</span>`}</th>`;
  };
}

/** Where the list goes on; nothing where it is whole. */
export function pageLinks(frame: Frame, action: string, asked: ListAsked, page: Page<unknown>): Piece {
  const { tokens: words } = frame.texts;
  const isFirst = asked.after === '';
  if (isFirst && page.next === null && page.total === null) return null;
  const first = listAddress(action, { ...asked, after: '' });
  return html`<nav class="pages" aria-label="${words.nextPage}">
<span class="soft">${page.total !== null && words.count(page.total)}</span>
<span class="row">${!isFirst && html`<a class="button" href="${first}">${words.firstPage}</a>`}${page.next !== null && html`<a class="button" href="${listAddress(action, { ...asked, after: page.next })}">${words.nextPage}</a>`}</span>
</nav>`;
}

/** The address of a list, without what goes without saying. */
export function listAddress(action: string, asked: ListAsked): string {
  const { text, state, order, descending, after } = asked;
  const direction = descending === descendsByNature[order] ? '' : descending ? 'down' : 'up';
  return withQuery(action, {
    q: text,
    state,
    order: order === 'created' ? '' : order,
    dir: direction,
    after,
  });
}
