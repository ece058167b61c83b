import type { Page } from '../../../core/page.ts';
import type { ShownUser } from '../../../management/people.ts';
import { selectField, textField } from '../fields.ts';
import type { Frame } from '../frame.ts';
import { renderPage } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { paths, withQuery } from '../paths.ts';
import { sourceName, userBadge } from './user-words.ts';

/** What the list of users was asked for, as its address says. */
export interface UsersAsked {
  readonly text: string;
  readonly role: 'user' | 'admin' | '';
  readonly standing: 'in' | 'out' | '';
  readonly after: string;
}

/** Everybody who may sign in or own tokens. */
export function renderUsers(frame: Frame, asked: UsersAsked, page: Page<ShownUser>): Markup {
  const { users: words } = frame.texts;
  return renderPage(frame, {
    title: words.title,
    section: 'users',
    body: html`<div class="head"><div><h1>${words.title}</h1><p class="lead">${words.lead}</p></div><a class="button primary" href="${paths.newUser}">${words.new}</a></div>
${filter(frame, asked)}
${page.items.length === 0 ? html`<p class="card">${words.none}</p>` : table(frame, page.items)}
${pages(frame, asked, page)}`,
  });
}

function filter(frame: Frame, { text, role, standing }: UsersAsked): Markup {
  const { users: words, tokens } = frame.texts;
  return html`<form method="get" action="${paths.users}" role="search" class="inline">
${textField({ name: 'q', label: words.search, hint: words.searchHint, value: text, type: 'search', maxLength: 200, className: 'grow' })}
${selectField({
  name: 'role',
  label: words.role,
  value: role,
  options: [
    ['', words.anyRole],
    ['user', words.roles.user],
    ['admin', words.roles.admin],
  ],
})}
${selectField({
  name: 'standing',
  label: words.standing,
  value: standing,
  options: [
    ['', words.anyStanding],
    ['in', words.in],
    ['out', words.out],
  ],
})}
<button class="button">${tokens.filter.apply}</button>
</form>`;
}

function table(frame: Frame, users: readonly ShownUser[]): Markup {
  const { column } = frame.texts.users;
  const head = (label: string): Markup => html`<th role="columnheader" scope="col">${label}</th>`;
  return html`<table class="table" role="table">
<thead role="rowgroup"><tr role="row">${[column.name, column.source, column.role, column.state, column.signedIn].map(head)}</tr></thead>
<tbody role="rowgroup">${users.map((user) => row(frame, user))}</tbody>
</table>`;
}

function row(frame: Frame, user: ShownUser): Markup {
  const { users: words } = frame.texts;
  const { column } = words;
  const seen = user.signedInAt;
  return html`<tr role="row">
<th role="rowheader" scope="row"><a class="name" href="${paths.user(user.id)}">${user.displayName ?? user.name}</a><span class="sub">${user.displayName !== null && html`${user.name}<br>`}${user.email}</span></th>
<td role="cell" data-label="${column.source}"><span>${sourceName(frame, user)}</span></td>
<td role="cell" data-label="${column.role}"><span>${words.roles[user.role]}</span></td>
<td role="cell" data-label="${column.state}"><span>${userBadge(frame, user)}</span></td>
<td role="cell" data-label="${column.signedIn}"><span>${seen === null ? html`<span class="soft">${words.never}</span>` : frame.moments.relativeTag(seen, frame.now)}</span></td>
</tr>`;
}

function pages(frame: Frame, asked: UsersAsked, page: Page<ShownUser>): Piece {
  const { tokens: words } = frame.texts;
  const { text: q, role, standing } = asked;
  if (page.next === null && asked.after === '') return null;
  const at = (after: string | null): string => withQuery(paths.users, { q, role, standing, after });
  return html`<nav class="pages" aria-label="${words.nextPage}"><span></span><span class="row">${asked.after !== '' && html`<a class="button" href="${at(null)}">${words.firstPage}</a>`}${page.next !== null && html`<a class="button" href="${at(page.next)}">${words.nextPage}</a>`}</span></nav>`;
}
